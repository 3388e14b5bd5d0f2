// SPDX-License-Identifier: BSD-2-Clause
#include "device/fault/wire.hpp"

#include "support/random.hpp"

#include <algorithm>
#include <bit>
#include <set>

#include <gtest/gtest.h>

namespace netmap::fault {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point start{1h};

Fragments packet(std::size_t number, std::size_t bytes = 8) {
  return {{std::vector(bytes, static_cast<std::byte>(number)), 0}};
}

class OnAWire : public testing::Test {
 protected:
  void make(const Faults& asked) {
    faults = asked;
    counts = {};
    wire.emplace(Inflicted{faults, counts, faults.seed});
  }
  void put(std::size_t count, Clock::time_point now = start) {
    for (std::size_t n = 0; n != count; ++n) wire->put(packet(n), now);
  }
  /// The numbers of all that has come by `now`.
  std::vector<int> take(Clock::time_point now = start) {
    std::vector<int> numbers;
    for (; const auto* next = wire->next(now); wire->pop()) {
      numbers.push_back(std::to_integer<int>(next->front().bytes.front()));
    }
    return numbers;
  }

  Faults faults;
  FaultCounts counts;
  std::optional<Wire> wire;
};

TEST_F(OnAWire, WithoutFaultsEverythingPassesInOrder) {
  make({});
  put(5);
  EXPECT_EQ(wire->slots(), 5U);
  EXPECT_EQ(take(), (std::vector{0, 1, 2, 3, 4}));
  EXPECT_EQ(wire->slots(), 0U);
  EXPECT_EQ(wire->due(), Clock::time_point::max());
}

TEST_F(OnAWire, WhatIsCertainHappensToAll) {
  make({.drop = 1});
  put(5);
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(counts.dropped, 5U);
  make({.duplicate = 1});
  put(3);
  EXPECT_EQ(wire->slots(), 6U);
  EXPECT_EQ(take(), (std::vector{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(counts.duplicated, 3U);
}

TEST_F(OnAWire, WhatIsProbableHappensToSoMany) {
  make({.drop = 0.25, .seed = 7});
  put(10'000);
  const std::size_t passed = take().size();
  EXPECT_EQ(passed + counts.dropped, 10'000U);
  EXPECT_GT(counts.dropped, 2300U);
  EXPECT_LT(counts.dropped, 2700U);
}

TEST_F(OnAWire, DamageIsOneBit) {
  make({.corrupt = 1});
  std::set<std::size_t> where;
  for (int n = 0; n != 200; ++n) {
    wire->put({{std::vector(4, std::byte{0}), 0}, {std::vector(4, std::byte{0}), 0}}, start);
    std::size_t bits = 0;
    std::size_t at = 0;
    for (const Fragment& fragment : *wire->next(start)) {
      for (const std::byte byte : fragment.bytes) {
        bits += static_cast<std::size_t>(std::popcount(std::to_integer<unsigned>(byte)));
        if (byte != std::byte{0}) where.insert(at);
        ++at;
      }
    }
    EXPECT_EQ(bits, 1U);
    wire->pop();
  }
  EXPECT_EQ(where.size(), 8U) << "every byte is hit now and then";
  EXPECT_EQ(counts.corrupted, 200U);
}

TEST_F(OnAWire, AnEmptyPacketCannotBeDamaged) {
  make({.corrupt = 1});
  wire->put(packet(0, 0), start);
  EXPECT_EQ(counts.corrupted, 0U);
  EXPECT_NE(wire->next(start), nullptr);
}

TEST_F(OnAWire, TheNextPacketOvertakes) {
  make({.reorder = 1});
  put(4);
  EXPECT_EQ(take(), (std::vector{1, 0, 3, 2}));
  EXPECT_EQ(counts.reordered, 2U);
}

TEST_F(OnAWire, WhatNobodyOvertakesComesAllTheSame) {
  make({.reorder = 1});
  put(1);
  EXPECT_EQ(wire->slots(), 1U);
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(wire->due(), start + Wire::patience);
  EXPECT_EQ(take(start + Wire::patience), std::vector{0});
  EXPECT_EQ(counts.reordered, 0U);
}

TEST_F(OnAWire, ADelayedPacketIsNotThereBeforeItsTimeAndKeepsItsPlace) {
  make({.delay = 10ms});
  put(100);
  std::vector<int> came;
  Clock::time_point last = start;
  while (wire->slots() != 0) {
    const auto due = wire->due();
    EXPECT_GE(due, last);
    EXPECT_LE(due, start + 10ms);
    EXPECT_EQ(wire->next(due - 1ns), nullptr);
    for (const int number : take(due)) came.push_back(number);
    last = due;
  }
  EXPECT_TRUE(std::ranges::is_sorted(came));
  EXPECT_EQ(came.size(), 100U);
}

TEST_F(OnAWire, AShortBatchIsAnythingFromNothingToAll) {
  make({.short_batch = 1});
  put(3);
  std::set<std::size_t> limits;
  for (int n = 0; n != 100; ++n) limits.insert(wire->limit());
  EXPECT_EQ(limits, (std::set<std::size_t>{0, 1, 2, 3}));
  EXPECT_EQ(counts.short_batches, 100U);
}

TEST_F(OnAWire, TheSeedSaysWhatHappens) {
  const Faults some{.drop = 0.2, .duplicate = 0.2, .corrupt = 0.2, .reorder = 0.2, .seed = 3};
  const auto outcome = [&](std::uint64_t seed) {
    Faults mine = some;
    mine.seed = seed;
    make(mine);
    put(200);
    return take();
  };
  const auto first = outcome(3);
  EXPECT_EQ(outcome(3), first);
  EXPECT_NE(outcome(4), first);
}

}  // namespace
}  // namespace netmap::fault
