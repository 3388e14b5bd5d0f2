// SPDX-License-Identifier: BSD-2-Clause
//
// A port with faults over a pipe of the embedded device. What it does without any is what
// tests/conformance asks.
#include "embedded/support.hpp"

#include <map>
#include <numeric>
#include <thread>

namespace netmap::embedded {
namespace {

using namespace std::chrono_literals;

class Faulty : public InDomain {
 protected:
  [[nodiscard]] Port open(const char* name, std::optional<Faults> faults = {}) const {
    return must(try_open(name, {.conf = {.tx_slots = 64, .rx_slots = 64}, .faults = faults}));
  }
};

std::vector<std::byte> numbered(std::uint32_t number) {
  std::vector<std::byte> packet(60);
  std::memcpy(packet.data(), &number, sizeof number);
  return packet;
}
std::uint32_t number_in(const Packet& packet) {
  std::uint32_t number = 0;
  std::memcpy(&number, packet.front().data(), sizeof number);
  return number;
}

/// Carries `count` numbered packets as far as they go, waiting where there is nothing to do; the
/// numbers, as they came. Ends when everything sent is accounted for by `expected()`.
template <class Expected>
std::vector<std::uint32_t> carry(Port& from, Port& to, std::uint32_t count, Expected expected) {
  std::vector<std::uint32_t> came;
  std::uint32_t sent = 0;
  const auto take = [&](const Packet& packet) { came.push_back(number_in(packet)); };
  while (sent != count || came.size() != expected()) {
    while (sent != count && from.tx_rings()[0].send(numbered(sent))) ++sent;
    must(from.sync_tx());
    if (sent == count) must(from.drain(0ns));
    must(to.sync_rx());
    to.rx_rings()[0].for_each(take);
  }
  return came;
}

TEST_F(Faulty, APacketIsLostAndCounted) {
  for (const bool is_sender : {true, false}) {
    const Faults drop{.drop = 0.3};
    Port left = open("x{1", is_sender ? std::optional(drop) : std::nullopt);
    Port right = open("x}1", is_sender ? std::nullopt : std::optional(drop));
    const Port& faulty = is_sender ? left : right;
    const auto came =
        carry(left, right, 5000, [&] { return 5000 - faulty.stats().faults.dropped; });
    EXPECT_TRUE(std::ranges::is_sorted(came));
    EXPECT_EQ(std::set(came.begin(), came.end()).size(), came.size());
    EXPECT_GT(faulty.stats().faults.dropped, 1300U);
    EXPECT_LT(faulty.stats().faults.dropped, 1700U);
    must(right.sync_rx());
    EXPECT_EQ(left.stats().tx.packets, 5000U) << "the program sent them all";
    close(left);
  }
}

TEST_F(Faulty, APacketComesTwice) {
  Port left = open("x{1", Faults{.duplicate = 0.5});
  Port right = open("x}1", Faults{.duplicate = 0.5});
  const auto came = carry(left, right, 3000, [&] {
    return 3000 + left.stats().faults.duplicated + right.stats().faults.duplicated;
  });
  EXPECT_TRUE(std::ranges::is_sorted(came));
  EXPECT_EQ(std::set(came.begin(), came.end()).size(), 3000U);
  EXPECT_GT(came.size(), 5000U);
}

TEST_F(Faulty, PacketsComeInAnotherOrder) {
  Port left = open("x{1", Faults{.reorder = 0.2});
  Port right = open("x}1");
  auto came = carry(left, right, 3000, [] { return 3000U; });
  EXPECT_FALSE(std::ranges::is_sorted(came));
  std::ranges::sort(came);
  std::vector<std::uint32_t> all(3000);
  std::iota(all.begin(), all.end(), 0U);
  EXPECT_EQ(came, all);
}

TEST_F(Faulty, ALostPacketsSlotIsFreeAgain) {
  Port left = open("x{1", Faults{.drop = 1});
  for (std::uint32_t n = 0; n != 63; ++n) must(left.tx_rings()[0].send(numbered(n)));
  must(left.sync_tx());
  EXPECT_EQ(left.tx_rings()[0].slots().size(), 63U);
  EXPECT_EQ(must(left.drain(0ns)), 0U);
}

TEST_F(Faulty, NothingIsLostByDelayShortBatchesAndWakeUps) {
  const Faults lossless{.delay = 100us, .short_batch = 0.5, .spurious = 0.3, .late = 200us};
  Port left = open("x{1", lossless);
  Port right = open("x}1", lossless);
  std::uint32_t sent = 0;
  std::uint32_t received = 0;
  while (received != 2000) {
    while (sent != 2000 && left.tx_rings()[0].send(numbered(sent))) ++sent;
    must(left.sync_tx());
    must(left.wait(Direction::tx, 1ms));
    must(right.wait(Direction::rx, 1ms));
    right.rx_rings()[0].for_each(
        [&](const Packet& packet) { ASSERT_EQ(number_in(packet), received++); });
    must(right.sync_rx());
  }
  for (const Port* port : {&left, &right}) {
    const FaultCounts counts = port->stats().faults;
    EXPECT_GT(counts.delayed, 0U);
    EXPECT_GT(counts.short_batches, 0U);
  }
  EXPECT_GT(right.stats().faults.spurious + left.stats().faults.spurious, 0U);
  EXPECT_GT(right.stats().faults.late + left.stats().faults.late, 0U);
}

TEST_F(Faulty, WhoAsksForNoRoomSleeps) {
  Port left = open("x{1", Faults{.delay = 1h});
  TxRing& tx = left.tx_rings()[0];
  for (const char* under_way : {"nothing", "a packet"}) {
    tx.want_none();
    const std::uint64_t before = left.stats().polls;
    EXPECT_TRUE(must(left.wait(Direction::tx, 5ms)).empty());
    EXPECT_LE(left.stats().polls - before, 2U) << under_way << " is under way";
    must(tx.send(numbered(7)));
    must(left.sync_tx());
  }
}

TEST_F(Faulty, WhoWaitsForAnAnswerPassesOnTheQuestion) {
  Port left = open("x{1", Faults{.delay = 3ms});
  Port right = open("x}1");
  const std::jthread echo([&] {
    while (must(right.wait(Direction::rx, patience)).empty()) {
    }
    must(forward(right.rx_rings()[0], right.tx_rings()[0]));
    must(right.sync_tx());
  });
  must(left.tx_rings()[0].send(numbered(7)));
  must(left.sync_tx());
  EXPECT_TRUE(must(left.wait(Direction::rx, patience)).has(Direction::rx));
}

TEST_F(Faulty, WhatIsUnderWayWhenThePortClosesArrives) {
  Port right = open("x}1");
  {
    Port left = open("x{1", Faults{.delay = 1h});
    must(left.tx_rings()[0].send(numbered(7)));
    must(left.sync_tx());
    must(right.sync_rx());
    EXPECT_TRUE(right.rx_rings()[0].slots().empty());
  }
  must(right.sync_rx());
  EXPECT_EQ(right.rx_rings()[0].slots().size(), 1U);
}

TEST_F(Faulty, ASyncFailsAndMovesNothing) {
  Port left = open("x{1", Faults{.fail = 1});
  Port right = open("x}1");
  must(left.tx_rings()[0].send(numbered(1)));
  const auto failed = left.sync_tx();
  EXPECT_EQ(code_of(failed), errc::fault_injected);
  EXPECT_NE(message_of(failed).find("a fault that was asked for"), std::string::npos);
  EXPECT_EQ(left.tx_rings()[0].pending(), 1U);
  must(right.sync_rx());
  EXPECT_TRUE(right.rx_rings()[0].slots().empty());
  EXPECT_EQ(code_of(left.wait(Direction::rx, 0ns)), errc::fault_injected);
  EXPECT_EQ(left.stats().faults.failed, 2U);
}

TEST_F(Faulty, WhatWasReceivedIsShownBeforeThePeersEnd) {
  Port right = must(try_open(
      "x}1", {.ends_with_peer = true, .faults = Faults{.delay = 5ms, .short_batch = 0.9}}));
  {
    Port left = open("x{1");
    for (std::uint32_t n = 0; n != 10; ++n) must(left.tx_rings()[0].send(numbered(n)));
    must(left.sync_tx());
  }
  std::uint32_t received = 0;
  auto waited = right.wait(Direction::rx, patience);
  for (; waited; waited = right.wait(Direction::rx, patience)) {
    right.rx_rings()[0].for_each(
        [&](const Packet& packet) { EXPECT_EQ(number_in(packet), received++); });
  }
  EXPECT_EQ(code_of(waited), errc::peer_gone);
  EXPECT_EQ(received, 10U);
}

TEST_F(Faulty, PacketsOfManyFragmentsStayWhole) {
  Port left = open("x{1", Faults{.drop = 0.2, .reorder = 0.2, .short_batch = 0.5});
  Port right = open("x}1", Faults{.duplicate = 0.2, .short_batch = 0.5});
  std::map<std::byte, int> came;
  for (int n = 0; n != 100; ++n) {
    const std::vector packet(5000, static_cast<std::byte>(n));
    while (!left.tx_rings()[0].send(packet)) must(left.sync_tx());
    must(left.sync_tx());
    must(right.sync_rx());
    right.rx_rings()[0].for_each([&](const Packet& got) {
      std::vector<std::byte> bytes(5000);
      EXPECT_EQ(must(got.copy_to(bytes)), 5000U);
      EXPECT_EQ(std::ranges::count(bytes, bytes[0]), 5000);
      ++came[bytes[0]];
    });
  }
  EXPECT_GT(came.size(), 50U);
}

TEST_F(Faulty, ABrokenRingIsReportedAndMended) {
  Port left = open("x{1", Faults{});
  Port right = open("x}1", Faults{});
  abi::netmap_ring& tx = *left.tx_rings()[0].raw();
  abi::netmap_ring& rx = *right.rx_rings()[0].raw();
  for (const std::uint32_t position : {64U, UINT32_MAX}) {
    tx.head = position;
    EXPECT_EQ(code_of(left.sync_tx()), errc::ring_corrupt) << position;
    rx.cur = position;
    EXPECT_EQ(code_of(right.sync_rx()), errc::ring_corrupt) << position;
  }
  const std::uint32_t buffer = abi::slots_of(tx)[0].buf_idx;
  abi::slots_of(tx)[0].buf_idx = 70'000;
  tx.cur = tx.head = 1;
  EXPECT_EQ(code_of(left.sync_tx()), errc::ring_corrupt);
  abi::slots_of(tx)[0].buf_idx = buffer;
  must(left.tx_rings()[0].send(numbered(1)));
  must(left.sync_tx());
  abi::slots_of(rx)[0].buf_idx = 1;
  EXPECT_EQ(code_of(right.sync_rx()), errc::ring_corrupt);
}

TEST_F(Faulty, ASyncLoopNeedsAPortWithout) {
  Port port = open("x{1", Faults{});
  EXPECT_EQ(code_of(SyncLoop::attach(port)), errc::not_supported);
  must(port.sync_tx());
}

TEST_F(Faulty, ForwardingBetweenCardAndHostNeedsAPortWithout) {
  Port port = open("x{1", Faults{});
  const auto refusal = port.set_forwarding(true);
  EXPECT_EQ(code_of(refusal), errc::not_supported);
  EXPECT_NE(message_of(refusal).find("a port with faults"), std::string::npos)
      << message_of(refusal);
}

TEST_F(Faulty, DataOffsetsNeedAPortWithout) {
  const PortOptions in_options{.offset = DataOffset{.initial = 32}, .faults = Faults{}};
  const PortOptions in_name{.faults = Faults{}};
  for (const auto& port : {try_open("x{1", in_options), try_open("x{1@offset=32", in_name)}) {
    EXPECT_EQ(code_of(port), errc::not_supported);
    EXPECT_NE(message_of(port).find("without data offsets"), std::string::npos) << message_of(port);
  }
}

TEST_F(Faulty, AProbabilityIsBetweenNeverAndAlways) {
  for (const double probability : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    const auto port = try_open("x{1", {.faults = Faults{.corrupt = probability}});
    EXPECT_EQ(code_of(port), std::errc::invalid_argument);
    EXPECT_NE(message_of(port).find("between 0 and 1"), std::string::npos);
  }
}

}  // namespace
}  // namespace netmap::embedded
