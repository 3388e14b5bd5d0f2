// SPDX-License-Identifier: BSD-2-Clause
//
// Two processes, or two threads, on one pipe: everything arrives, whoever starts first, and nobody
// who sleeps is forgotten. A lost wake-up shows as a wait that ends with nothing.
#include "embedded/support.hpp"

#include <array>
#include <atomic>
#include <span>
#include <thread>
#include <vector>

namespace netmap::embedded {
namespace {

using Processes = InDomain;

constexpr std::uint64_t many_packets = 500'000;

TEST_F(Processes, MovePacketsIfTheSenderStartsFirst) {
  Shared<std::atomic<bool>> opened;
  Process sending([&] {
    auto port = open("x{1");
    *opened = true;
    return send_all(port, many_packets);
  });
  ASSERT_TRUE(await([&] { return opened->load(); }));
  auto port = open("x}1");
  EXPECT_TRUE(receive_all(port, many_packets));
  EXPECT_TRUE(sending.succeeded());
}

TEST_F(Processes, MovePacketsIfTheReceiverStartsFirst) {
  Shared<std::atomic<bool>> opened;
  Process receiving([&] {
    auto port = open("x}1");
    *opened = true;
    return receive_all(port, many_packets);
  });
  ASSERT_TRUE(await([&] { return opened->load(); }));
  auto port = open("x{1");
  EXPECT_TRUE(send_all(port, many_packets));
  EXPECT_TRUE(receiving.succeeded());
}

TEST_F(Processes, FindWhatWasSentBeforeTheyOpened) {
  auto sender = open("x{1");
  auto unused = open("x}1");
  send_numbers(sender.tx_rings()[0], 0, 500);
  must(sender.sync_tx());
  close(unused);
  Process receiving([&] {
    auto port = open("x}1");
    return receive_all(port, 500);
  });
  EXPECT_TRUE(receiving.succeeded());
  EXPECT_EQ(must(sender.drain(patience)), 0U);
}

// ---- Sleeping -----------------------------------------------------------------------------------

/// Lets a few instructions pass, so that what follows meets the other side at every stage of its
/// falling asleep.
void dawdle(Random& random) {
  for (auto turns = random.below(3000) * random.below(2); turns != 0; --turns) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
}

constexpr std::uint64_t many_sleeps = 40'000;

/// Sends the next number only when the last one was taken, so that a lost wake-up is never made up
/// for by the next packet.
TEST_F(Processes, ThatSleepAreWokenByEveryPacket) {
  struct State {
    std::atomic<std::uint64_t> taken{0};
    std::atomic<std::uint64_t> sleeps{0};
    std::atomic<bool> done{false};
  };
  Shared<State> shared;
  Process receiving([&] {
    auto port = open("x}1", {.conf = {.tx_slots = 8, .rx_slots = 8}});
    while (!shared->done) {
      if (must(port.wait(Direction::rx, patience)).empty()) return false;
      shared->taken = take_numbers(port.rx_rings()[0], shared->taken);
      shared->sleeps = port.stats().polls;
    }
    return true;
  });
  auto port = open("x{1", {.conf = {.tx_slots = 8, .rx_slots = 8}});
  Random random(1);
  std::uint64_t next = 0;
  while (shared->sleeps < many_sleeps) {
    if (!send_number(port.tx_rings()[0], next)) {
      must(port.sync_tx());
      continue;
    }
    must(port.sync_tx());
    ++next;
    ASSERT_TRUE(await([&] { return shared->taken == next; })) << "after " << next << " packets";
    dawdle(random);
  }
  shared->done = true;
  ASSERT_TRUE(send_number(port.tx_rings()[0], next));
  must(port.sync_tx());
  EXPECT_TRUE(receiving.succeeded());
}

/// Both ends wait without end, the sender for room, the receiver for packets.
TEST_F(Processes, ThatSleepOnEachOtherGoOn) {
  for (const std::uint32_t slots : {2U, 3U, 8U}) {
    SCOPED_TRACE(slots);
    const std::uint64_t count = slots == 2 ? 15'000 : 40'000;
    const PortOptions options{.conf = {.tx_slots = slots, .rx_slots = slots}};
    const std::string pipe = "x{" + std::to_string(slots);
    Process sending([&] {
      auto port = open(pipe, options);
      TxRing& tx = port.tx_rings()[0];
      Random random(slots);
      for (std::uint64_t next = 0; next != count; ++next) {
        must(tx.want(1 + random.below(slots - 1)));
        if (must(port.wait(Direction::tx, patience)).empty()) return false;
        const std::array<std::uint64_t, 1> packet{next};
        must(tx.send(std::as_bytes(std::span(packet))));
        must(port.sync_tx());
      }
      return must(port.drain(patience)) == 0;
    });
    auto port = open("x}" + std::to_string(slots), options);
    for (std::uint64_t next = 0; next != count;) {
      ASSERT_FALSE(must(port.wait(Direction::rx, patience)).empty()) << "at packet " << next;
      port.rx_rings()[0].for_each([&](const Packet& packet) {
        std::uint64_t number = 0;
        must(packet.copy_to(std::as_writable_bytes(std::span(&number, 1))));
        ASSERT_EQ(number, next);
        ++next;
      });
    }
    must(port.sync_rx());
    EXPECT_GT(port.stats().polls, 100U);
    EXPECT_TRUE(sending.succeeded());
  }
}

TEST_F(Processes, ThatSleepOnManyRingsAreWokenByAny) {
  constexpr std::size_t rings = 16;
  constexpr std::uint64_t count = 20'000;
  const PortOptions options{.conf = {.tx_rings = rings, .tx_slots = 8}};
  Shared<std::atomic<std::uint64_t>> taken;
  Process receiving([&] {
    auto port = open("x}1", options);
    std::array<std::uint64_t, rings> next{};
    while (*taken != count) {
      if (must(port.wait(Direction::rx, patience)).empty()) return false;
      std::uint64_t sum = 0;
      for (std::size_t k = 0; k != rings; ++k) {
        sum += next[k] = take_numbers(port.rx_rings()[k], next[k]);
      }
      *taken = sum;
    }
    return true;
  });
  auto port = open("x{1", options);
  ASSERT_EQ(port.tx_rings().size(), rings);
  Random random(2);
  std::array<std::uint64_t, rings> next{};
  for (std::uint64_t sent = 0; sent != count;) {
    const std::size_t k = random.below(rings);
    if (send_number(port.tx_rings()[k], next[k])) {
      ++next[k];
      ++sent;
    }
    must(port.sync_tx());
    if (random.one_in(2)) {
      ASSERT_TRUE(await([&] { return *taken == sent; }));
    }
    dawdle(random);
  }
  EXPECT_TRUE(receiving.succeeded());
}

/// One end, its directions in two threads on ports of their own; the other end sends and receives
/// in one.
TEST_F(Processes, MayUseADirectionInEachThread) {
  constexpr std::uint64_t count = 100'000;
  const PortOptions options{.conf = {.tx_slots = 16, .rx_slots = 16}};
  Process echoing([&] {
    auto port = open("x{1", options);
    std::uint64_t next = 0;
    for (std::uint64_t returned = 0; returned != count;) {
      const auto ready = must(port.wait(Direction::rx, patience));
      if (ready.empty()) return false;
      next = take_numbers(port.rx_rings()[0], next);
      while (returned != next) {
        returned = send_numbers(port.tx_rings()[0], returned, next);
        must(port.sync_tx());
        if (returned != next && must(port.wait(Direction::tx, patience)).empty()) return false;
      }
    }
    must(port.sync_rx());
    return must(port.drain(patience)) == 0;
  });
  auto receiver = open("x}1/R", options);
  auto sender = open("x}1/T", options);
  ASSERT_TRUE(receiver.tx_rings().empty() && sender.rx_rings().empty());
  bool sent = false;
  std::jthread sending([&] { sent = send_all(sender, count); });
  EXPECT_TRUE(receive_all(receiver, count));
  sending.join();
  EXPECT_TRUE(sent);
  EXPECT_TRUE(echoing.succeeded());
}

// ---- Buffers that travel ------------------------------------------------------------------------

/// Packets go round between two ends that both forward what they receive: each buffer passes
/// through the rings of both directions.
TEST_F(Processes, MayBothForwardWithoutCopying) {
  constexpr std::uint32_t in_flight = 11;
  constexpr std::uint64_t rounds = 20'000;
  const PortOptions options{.conf = {.tx_slots = 16, .rx_slots = 8}};
  auto master = open("x{1", options);
  auto slave = open("x}1", options);
  ASSERT_EQ(send_numbers(master.tx_rings()[0], 0, in_flight), in_flight);
  must(master.sync_tx());
  std::uint64_t moved = 0;
  Random random(3);
  const auto pass = [&](Port& port) {
    must(port.sync_rx());
    moved += must(forward(port.rx_rings()[0], port.tx_rings()[0], random.below(5))).packets;
    must(port.sync_rx());
    must(port.sync_tx());
  };
  while (moved < rounds) {
    pass(slave);
    pass(master);
  }
  std::multiset<std::uint64_t> found;
  for (int quiet = 0; quiet != 3; ++quiet) {
    for (Port* port : {&slave, &master}) {
      must(port->sync_rx());
      port->rx_rings()[0].for_each([&](const Packet& packet) {
        const auto number = number_of(packet);
        ASSERT_TRUE(number) << "a packet was overwritten: its buffer has two owners";
        found.insert(*number);
      });
      must(port->sync_rx());
      must(port->sync_tx());
    }
  }
  std::multiset<std::uint64_t> all;
  for (std::uint64_t number = 0; number != in_flight; ++number) all.insert(number);
  EXPECT_EQ(found, all);
}

}  // namespace
}  // namespace netmap::embedded
