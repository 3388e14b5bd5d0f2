// SPDX-License-Identifier: BSD-2-Clause
//
// Processes die between any two instructions. What they had published arrives, the next process
// takes their end over, and in the end everything is given back.
#include "embedded/support.hpp"

#include "device/embedded/state.hpp"

#include <atomic>
#include <csignal>
#include <cstring>
#include <span>

#include <poll.h>

namespace netmap::embedded {
namespace {

using Kills = InDomain;
constexpr int deaths = 60;

/// A packet says which process sent it and how many that had sent before.
struct Mark {
  std::uint32_t life;
  std::uint32_t number;
};

Mark mark_of(const Packet& packet) {
  Mark mark{};
  EXPECT_EQ(packet.size(), sizeof mark);
  std::memcpy(&mark, packet.front().data(), std::min(sizeof mark, packet.size()));
  return mark;
}

/// Sends until it is killed.
bool send_for_ever(Port port, std::uint32_t life) {
  for (Mark mark{life, 0};; ++mark.number) {
    TxRing& tx = port.tx_rings()[0];
    while (!tx.send(std::as_bytes(std::span(&mark, 1)))) {
      if (must(port.wait(Direction::tx, patience)).empty()) return false;
    }
    must(port.sync_tx());
  }
}

/// Waits for packets and takes what is there; false if nothing came.
template <class Use>
bool receive_some(Port& port, Use&& use) {
  if (must(port.wait(Direction::rx, patience)).empty()) return false;
  port.rx_rings()[0].for_each(use);
  return true;
}

TEST_F(Kills, OfSendersLoseNothingPublished) {
  auto receiver = open("x}1", small_rings);
  Random random(1);
  Mark last{0, 0};
  std::uint64_t received = 0;
  const auto check = [&](const Packet& packet) {
    const Mark mark = mark_of(packet);
    EXPECT_TRUE(mark.life == last.life ? mark.number == last.number + 1
                                       : mark.life > last.life && mark.number == 0)
        << "packet " << mark.number << " of " << mark.life << " came after packet " << last.number
        << " of " << last.life;
    last = mark;
    ++received;
  };
  for (std::uint32_t life = 1; life <= deaths; ++life) {
    Process sender([&] { return send_for_ever(open("x{1", small_rings), life); });
    const auto until = received + 1 + random.below(200);
    while (received < until || last.life != life) ASSERT_TRUE(receive_some(receiver, check));
    sender.kill();
  }
  must(receiver.sync_rx());
  receiver.rx_rings()[0].for_each(check);
  close(receiver);
  (void)must(port_info("x{1", device()));
  EXPECT_EQ(files(), at_rest);
}

TEST_F(Kills, OfReceiversLoseNothingTheyHadNotTaken) {
  auto sender = open("x{1", small_rings);
  Shared<std::atomic<std::uint32_t>> taken;  // the numbers below were
  Random random(2);
  Mark mark{0, 0};
  for (std::uint32_t life = 1; life <= deaths; ++life) {
    Shared<std::atomic<bool>> is_broken;
    Process receiver([&] {
      auto port = open("x}1", small_rings);
      while (receive_some(port, [&](const Packet& packet) {
        const std::uint32_t number = mark_of(packet).number;
        if (number > *taken) *is_broken = true;
        *taken = number + 1;
      })) {
      }
      return false;
    });
    const std::uint32_t until = *taken + 1 + random.below(200);
    while (*taken < until) {
      while (sender.tx_rings()[0].send(std::as_bytes(std::span(&mark, 1)))) ++mark.number;
      ASSERT_FALSE(must(sender.wait(Direction::tx, patience)).empty());
    }
    receiver.kill();
    EXPECT_FALSE(*is_broken) << "a packet is missing";
  }
  close(sender);
  EXPECT_EQ(files(), at_rest);
}

TEST_F(Kills, WhileOpeningAndClosingLeaveTheDomainWhole) {
  Random random(3);
  for (int life = 0; life != deaths; ++life) {
    Shared<std::atomic<std::uint32_t>> opened;
    Process busy([&] {
      for (;; ++*opened) {
        const auto left = open("x{1", {.conf = {.tx_slots = 64}, .extra_buffers = 7});
        const auto right = open("x}1");
      }
      return false;
    });
    const std::uint32_t until = random.below(3);
    ASSERT_TRUE(await([&] { return *opened >= until; }));
    busy.kill();
    auto left = open("x{1");
    auto right = open("x}1");
    ASSERT_EQ(send_numbers(left.tx_rings()[0], 0, 10), 10U);
    must(left.sync_tx());
    must(right.sync_rx());
    EXPECT_EQ(take_numbers(right.rx_rings()[0], 0), 10U);
  }
  EXPECT_EQ(files(), at_rest);
}

TEST_F(Kills, InExternalMemoryLeaveNothing) {
  for (int life = 0; life != 10; ++life) {
    Shared<std::atomic<std::uint32_t>> sent;
    Process sender([&] {
      const OwnMemory memory;
      auto options = small_rings;
      options.extmem = memory.range();
      auto port = open("x{1", options);
      for (;; ++*sent) {
        while (!send_number(port.tx_rings()[0], *sent)) (void)must(port.wait(Direction::tx));
        must(port.sync_tx());
      }
      return false;
    });
    ASSERT_TRUE(await([&] { return *sent != 0; }));
    auto receiver = open("x}1");
    std::uint64_t next = 0;
    while (next < 30) {
      ASSERT_FALSE(must(receiver.wait(Direction::rx, patience)).empty());
      next = take_numbers(receiver.rx_rings()[0], next);
    }
    sender.kill();
    must(receiver.sync_rx());
    EXPECT_GE(take_numbers(receiver.rx_rings()[0], next), next) << "its memory is still there";
    close(receiver);
    EXPECT_EQ(files(), at_rest);
  }
}

/// What both sides of a sender's ring share lies in front of it.
RingWords& words_of(TxRing& ring) {
  return *reinterpret_cast<RingWords*>(reinterpret_cast<std::byte*>(ring.raw()) - ring_in_object);
}

TEST_F(Kills, BetweenPublishingAndRingingWakeTheSleeper) {
  Shared<std::atomic<int>> step;
  Process sender([&] {
    auto port = open("x{1");
    TxRing& tx = port.tx_rings()[0];
    *step = 1;
    if (!await([&] { return *step == 2; })) return false;
    words_of(tx).rx_sleepers = 0;  // as whoever is about to ring does
    EXPECT_TRUE(send_number(tx, 7));
    must(port.sync_tx());
    *step = 3;
    ::pause();
    return false;
  });
  ASSERT_TRUE(await([&] { return *step == 1; }));
  auto receiver = open("x}1");
  Process killer([&step, id = sender.id()] {
    return await([&] { return *step == 3; }) && ::kill(id, SIGKILL) == 0;
  });
  ASSERT_TRUE(must(receiver.arm(Direction::rx)));
  *step = 2;
  pollfd handle{receiver.wait_handle(Direction::rx).fd, POLLIN, 0};
  EXPECT_EQ(::poll(&handle, 1, std::chrono::milliseconds(patience).count()), 1);
  receiver.disarm(Direction::rx);
  must(receiver.sync_rx());
  EXPECT_EQ(take_numbers(receiver.rx_rings()[0], 7), 8U);
  EXPECT_TRUE(killer.succeeded());
}

}  // namespace
}  // namespace netmap::embedded
