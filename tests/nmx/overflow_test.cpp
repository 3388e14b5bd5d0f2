// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/overflow.hpp"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <numeric>
#include <random>
#include <vector>

namespace nmx {
namespace {

/// Appends a packet of so many slots, each of which says so.
void push(Overflow& overflow, std::size_t queue, std::uint32_t slots, std::uint32_t name) {
  for (; slots != 0; --slots) {
    overflow.push(queue, {name, static_cast<std::uint16_t>(slots), slots != 1});
  }
}

TEST(NmxOverflow, KeepsTheOrderOfEachQueue) {
  Overflow overflow(4, 2);
  push(overflow, 0, 1, 10);
  push(overflow, 1, 1, 20);
  push(overflow, 0, 2, 11);
  EXPECT_EQ(overflow.free(), 0);
  EXPECT_EQ(overflow.packets(0), 2);
  EXPECT_EQ(overflow.at(overflow.front(0)).hash, 10);
  overflow.pop(0);
  EXPECT_EQ(overflow.front_slots(0), 2);
  EXPECT_EQ(overflow.at(overflow.front(0)).hash, 11);
  EXPECT_EQ(overflow.at(overflow.front(1)).hash, 20);
}

TEST(NmxOverflow, TheLongestQueueLosesItsOldestPackets) {
  Overflow overflow(5, 2);
  push(overflow, 0, 2, 10);
  push(overflow, 0, 2, 11);
  push(overflow, 1, 1, 20);
  std::vector<std::size_t> losers;
  EXPECT_TRUE(overflow.make_room(1, [&](std::size_t queue) { losers.push_back(queue); }));
  EXPECT_EQ(losers, std::vector<std::size_t>{0});
  EXPECT_EQ(overflow.free(), 2);
  EXPECT_EQ(overflow.at(overflow.front(0)).hash, 11);
  EXPECT_EQ(overflow.packets(1), 1);
}

TEST(NmxOverflow, MoreThanThereIsCannotBeMade) {
  Overflow overflow(3, 1);
  push(overflow, 0, 3, 10);
  EXPECT_FALSE(overflow.make_room(4, [](std::size_t) { FAIL(); }));
  EXPECT_EQ(overflow.packets(0), 1);
}

TEST(NmxOverflow, OfNoCellsHasNoRoom) {
  Overflow overflow(0, 2);
  EXPECT_TRUE(overflow.empty(0));
  EXPECT_FALSE(overflow.make_room(1, [](std::size_t) { FAIL(); }));
}

// Against deques of packets.
TEST(NmxOverflow, DoesWhatPlainContainersDo) {
  constexpr std::uint32_t cells = 40;
  constexpr std::size_t queues = 3;
  struct Packet {
    std::uint32_t name;
    std::uint32_t slots;
  };
  Overflow overflow(cells, queues);
  std::array<std::deque<Packet>, queues> model;
  const auto slots_in = [&](std::size_t queue) {
    return std::accumulate(model[queue].begin(), model[queue].end(), 0U,
                           [](std::uint32_t sum, const Packet& one) { return sum + one.slots; });
  };
  std::mt19937 random(1);
  for (std::uint32_t name = 0; name != 20'000; ++name) {
    const std::size_t queue = random() % queues;
    if (random() % 3 != 0) {
      const auto slots = static_cast<std::uint32_t>(1 + random() % 5);
      ASSERT_TRUE(overflow.make_room(slots, [&](std::size_t loser) {
        for (std::size_t other = 0; other != queues; ++other) {
          ASSERT_GE(slots_in(loser), slots_in(other));
        }
        model[loser].pop_front();
      }));
      push(overflow, queue, slots, name);
      model[queue].push_back({name, slots});
    } else if (!model[queue].empty()) {
      const Packet oldest = model[queue].front();
      model[queue].pop_front();
      ASSERT_EQ(overflow.front_slots(queue), oldest.slots);
      for (std::uint32_t left = oldest.slots; left != 0; --left) {
        const Piece piece = overflow.at(overflow.front(queue));
        ASSERT_EQ(piece.hash, oldest.name);
        ASSERT_EQ(piece.length, left);
        overflow.pop(queue);
      }
    }
    std::uint32_t taken = 0;
    for (std::size_t one = 0; one != queues; ++one) {
      ASSERT_EQ(overflow.packets(one), model[one].size());
      ASSERT_EQ(overflow.empty(one), model[one].empty());
      taken += slots_in(one);
    }
    ASSERT_EQ(overflow.free(), cells - taken);
  }
}

TEST(Overflow, APacketWithoutItsEndHasTheSlotsThatAreIn) {
  Overflow overflow(4, 1);
  overflow.push(0, {.more = true});
  overflow.push(0, {.more = true});
  EXPECT_EQ(overflow.front_slots(0), 2);
}

}  // namespace
}  // namespace nmx
