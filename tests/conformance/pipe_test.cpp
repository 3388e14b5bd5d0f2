// SPDX-License-Identifier: BSD-2-Clause
//
// Pipes: what goes in at one end comes out at the other, all of it, in order, and no sooner than
// the other end has room.
#include "conformance/device.hpp"

#include <array>

#include <unistd.h>

namespace netmap::conformance {
namespace {

using Pipes = OnDevice;
ON_EVERY_DEVICE(Pipes);

TEST_P(Pipes, KeepOrderBothWays) {
  auto [master, slave] = open_pipe();
  for (int round = 0; round != 3; ++round) {
    carry(master, slave, 2500);
    carry(slave, master, 2500);
  }
}

TEST_P(Pipes, HoldOnePacketLessThanTheyHaveSlots) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 64, .rx_slots = 64}});
  auto& tx = master.tx_rings()[0];
  ASSERT_EQ(tx.num_slots(), 64U);
  EXPECT_EQ(send_numbered(tx, 0, 100), 63U);
  must(master.sync_tx());
  EXPECT_EQ(send_numbered(tx, 63, 1), 0U) << "a sync alone frees nothing";
  EXPECT_EQ(sync_and_take(slave), numbers(0, 63));
}

TEST_P(Pipes, GiveBackRoomOnceTheReceiverReleasedIt) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 16, .rx_slots = 16}});
  auto& tx = master.tx_rings()[0];
  auto& rx = slave.rx_rings()[0];
  send_and_sync(master, 0, 15);
  must(slave.sync_rx());
  ASSERT_EQ(rx.slots().size(), 15U);
  must(rx.release(rx.slots()[4].after()));
  must(master.sync_tx());
  EXPECT_TRUE(tx.slots().empty()) << "released, but the receiver has not synced";
  must(slave.sync_rx());
  EXPECT_TRUE(tx.slots().empty()) << "given back, but the sender has not synced";
  must(master.sync_tx());
  EXPECT_EQ(tx.slots().size(), 5U);
  send_and_sync(master, 15, 5);
  EXPECT_EQ(sync_and_take(slave), numbers(5, 15));
}

TEST_P(Pipes, WaitForAPeerThatOpensLater) {
  auto master = open(base() + "{1", {.conf = {.tx_slots = 32, .rx_slots = 32}});
  EXPECT_EQ(send_numbered(master.tx_rings()[0], 0, 100), 31U);
  must(master.sync_tx());
  auto slave = open(base() + "}1");
  EXPECT_EQ(slave.rx_rings()[0].num_slots(), 32U);
  EXPECT_EQ(sync_and_take(slave), numbers(0, 31));
}

TEST_P(Pipes, ContentsSurviveAReceiverThatReopens) {
  auto [master, slave] = open_pipe();
  send_and_sync(master, 0, 10);
  must(slave.sync_rx());
  auto& rx = slave.rx_rings()[0];
  must(rx.release(rx.slots()[2].after()));
  must(slave.sync_rx());
  close(slave);
  slave = open(base() + "}1");
  send_and_sync(master, 10, 5);
  EXPECT_EQ(sync_and_take(slave), numbers(3, 12));
}

TEST_P(Pipes, ContentsWakeAReceiverWhosePredecessorHadSeenThem) {
  auto [master, slave] = open_pipe();
  send_and_sync(master, 0, 3);
  must(slave.sync_rx());
  auto& rx = slave.rx_rings()[0];
  must(rx.seen(rx.slots().end()));
  must(slave.sync_rx());
  close(slave);
  slave = open(base() + "}1");
  EXPECT_EQ(must(slave.wait(Direction::rx, patience)), Directions(Direction::rx));
  EXPECT_EQ(sync_and_take(slave), numbers(0, 3));
}

TEST_P(Pipes, ContentsSurviveASenderThatReopens) {
  auto [master, slave] = open_pipe();
  send_and_sync(master, 0, 10);
  close(master);
  master = open(base() + "{1");
  send_and_sync(master, 10, 10);
  EXPECT_EQ(sync_and_take(slave), numbers(0, 20));
}

TEST_P(Pipes, AreEmptyAgainOnceBothEndsWereClosed) {
  {
    auto earlier = open_pipe();
    send_and_sync(earlier.master, 0, 10);
  }
  auto [master, slave] = open_pipe();
  EXPECT_TRUE(sync_and_take(slave).empty());
  carry(master, slave, 100);
}

TEST_P(Pipes, OfOneParentDoNotMix) {
  auto one = open_pipe();
  auto other = open(base() + "{2");
  auto peer = open(base() + "}2");
  send_and_sync(one.master, 0, 5);
  send_and_sync(other, 100, 5);
  EXPECT_EQ(sync_and_take(peer), numbers(100, 5));
  EXPECT_EQ(sync_and_take(one.slave), numbers(0, 5));
}

// ---- Rings
// ---------------------------------------------------------------------------------------

TEST_P(Pipes, HaveTheRingsOfWhoOpensFirstAndThePeerHasThemCrossed) {
  const PortConf conf{.tx_rings = 3, .rx_rings = 2, .tx_slots = 64, .rx_slots = 128};
  auto master = open(base() + "{1", {.conf = conf});
  auto slave = open(base() + "}1", {.conf = {.tx_rings = 7}});
  ASSERT_EQ(master.tx_rings().size(), 3U);
  ASSERT_EQ(master.rx_rings().size(), 2U);
  ASSERT_EQ(slave.tx_rings().size(), 2U);
  ASSERT_EQ(slave.rx_rings().size(), 3U);
  EXPECT_EQ(master.tx_rings()[0].num_slots(), 64U);
  EXPECT_EQ(slave.rx_rings()[0].num_slots(), 64U);
  EXPECT_EQ(master.rx_rings()[0].num_slots(), 128U);
  EXPECT_EQ(slave.info().conf.tx_rings, 2);
  EXPECT_EQ(slave.info().conf.rx_slots, 64U);
}

TEST_P(Pipes, AreDescribedFromTheMastersEndWhoeverOpensFirst) {
  const PortConf conf{.tx_rings = 4, .rx_rings = 2, .tx_slots = 512, .rx_slots = 256};
  auto slave = open(base() + "}1", {.conf = conf});
  EXPECT_EQ(slave.tx_rings().size(), 2U);
  EXPECT_EQ(slave.rx_rings().size(), 4U);
  EXPECT_EQ(slave.info().conf.tx_slots, 256U);
  EXPECT_EQ(slave.info().conf.rx_slots, 512U);
}

TEST_P(Pipes, OfferRingZeroInADirectionThatHasFewerRings) {
  auto port = open(base() + "{1-3", {.conf = {.tx_rings = 4, .rx_rings = 2}});
  EXPECT_EQ(port.tx_rings()[0].index(), 3);
  EXPECT_EQ(port.rx_rings()[0].index(), 0);
}

TEST_P(Pipes, CarryEachRingByItself) {
  auto [master, slave] = open_pipe({.conf = {.tx_rings = 4, .rx_rings = 4}});
  for (std::uint32_t ring = 0; ring != 4; ++ring) {
    EXPECT_EQ(master.tx_rings()[ring].index(), ring);
    EXPECT_FALSE(master.tx_rings()[ring].is_host());
    ASSERT_EQ(send_numbered(master.tx_rings()[ring], ring * 1000, ring + 1), ring + 1);
  }
  must(master.sync_tx());
  must(slave.sync_rx());
  for (std::uint32_t ring = 0; ring != 4; ++ring) {
    EXPECT_EQ(take_numbers(slave.rx_rings()[ring]), numbers(ring * 1000, ring + 1));
  }
  carry(slave, master, 3000, 3);
}

TEST_P(Pipes, OpenOneRing) {
  auto master = open(base() + "{1", {.conf = {.tx_rings = 4, .rx_rings = 4}});
  auto slave = open(base() + "}1-2");
  ASSERT_EQ(slave.tx_rings().size(), 1U);
  ASSERT_EQ(slave.rx_rings().size(), 1U);
  EXPECT_EQ(slave.rx_rings()[0].index(), 2);
  ASSERT_EQ(send_numbered(master.tx_rings()[1], 100, 5), 5U);
  ASSERT_EQ(send_numbered(master.tx_rings()[2], 200, 5), 5U);
  must(master.sync_tx());
  EXPECT_EQ(sync_and_take(slave), numbers(200, 5));
  send_and_sync(slave, 0, 7);
  must(master.sync_rx());
  EXPECT_EQ(take_numbers(master.rx_rings()[2]), numbers(0, 7));
}

TEST_P(Pipes, OpenEachRingByItself) {
  auto master = open(base() + "{1", {.conf = {.tx_rings = 3, .rx_rings = 3}});
  auto slaves = must(open_each_ring(base() + "}1", {.device = device()}));
  ASSERT_EQ(slaves.size(), 3U);
  for (std::uint32_t ring = 0; ring != 3; ++ring) {
    send_and_sync(master, ring * 10, 10, ring);
    EXPECT_EQ(slaves[ring].rx_rings()[0].index(), ring);
    EXPECT_EQ(sync_and_take(slaves[ring]), numbers(ring * 10, 10));
  }
}

TEST_P(Pipes, OpenOneDirection) {
  auto master = open(base() + "{1");
  auto receiver = open(base() + "}1/R");
  auto sender = open(base() + "}1/T");
  EXPECT_TRUE(receiver.tx_rings().empty());
  EXPECT_TRUE(sender.rx_rings().empty());
  send_and_sync(master, 0, 5);
  EXPECT_EQ(sync_and_take(receiver), numbers(0, 5));
  send_and_sync(sender, 10, 5);
  EXPECT_EQ(sync_and_take(master), numbers(10, 5));
}

// ---- Users
// ---------------------------------------------------------------------------------------

struct Pair {
  const char* first;
  const char* second;
  bool both;
};

TEST_P(Pipes, HaveOneUserForEachRing) {
  // Written behind "base}1"; the pipe has two rings each way.
  constexpr Pair pairs[] = {
      {"", "", false},       {"-0", "", false},      {"", "-1", false},    {"-0", "-0", false},
      {"-0", "-1", true},    {"/R", "", false},      {"/R", "/R", false},  {"/R", "/T", true},
      {"-0/R", "-0", false}, {"-0/R", "-1/R", true}, {"-0/R", "/T", true},
  };
  auto master = open(base() + "{1", {.conf = {.tx_rings = 2, .rx_rings = 2}});
  for (const Pair& pair : pairs) {
    auto first = open(base() + "}1" + pair.first);
    const auto second = try_open(base() + "}1" + pair.second);
    EXPECT_EQ(second.has_value(), pair.both) << pair.first << " and " << pair.second;
    if (!pair.both) {
      EXPECT_EQ(code_of(second), std::errc::device_or_resource_busy);
    }
  }
  EXPECT_TRUE(try_open(base() + "}1")) << "whoever was refused left nothing behind";
}

TEST_P(Pipes, AreSharedIfEverybodyAgrees) {
  if (has_memory_of_its_own()) return;
  auto master = open(base() + "{1");
  auto one = open(base() + "}1", {.shared = true});
  EXPECT_EQ(code_of(try_open(base() + "}1")), std::errc::device_or_resource_busy);
  auto other = open(base() + "}1", {.shared = true});
  send_and_sync(master, 0, 8);
  must(one.sync_rx());
  EXPECT_EQ(other.rx_rings()[0].slots().size(), 8U) << "they see the same ring";
  EXPECT_EQ(take_numbers(other.rx_rings()[0]), numbers(0, 8));
  EXPECT_TRUE(take_numbers(one.rx_rings()[0]).empty());
}

TEST_P(Pipes, GiveWhicheverEndIsFree) {
  auto first = open(base() + "{1}");
  auto second = open(base() + "{1}");
  EXPECT_EQ(first.info().name, base() + "{1");
  EXPECT_EQ(second.info().name, base() + "}1");
  EXPECT_EQ(code_of(try_open(base() + "{1}")), std::errc::device_or_resource_busy);
  carry(first, second, 10);
}

// ---- Processes
// -----------------------------------------------------------------------------------

/// Sends `count` packets, whenever there is room, and waits until they were taken.
bool send_all(Port& port, std::uint32_t count) {
  for (std::uint32_t sent = 0; sent != count;) {
    if (must(port.wait(Direction::tx, patience)).empty()) return false;
    sent += send_numbered(port.tx_rings()[0], sent, count - sent);
    must(port.sync_tx());
  }
  return must(port.drain(patience)) == 0;
}

std::vector<std::uint32_t> receive_all(Port& port, std::uint32_t count) {
  std::vector<std::uint32_t> received;
  while (received.size() < count && !must(port.wait(Direction::rx, patience)).empty()) {
    std::ranges::copy(take_numbers(port.rx_rings()[0]), std::back_inserter(received));
  }
  must(port.sync_rx());
  return received;
}

TEST_P(Pipes, LeadFromProcessToProcess) {
  constexpr std::uint32_t count = 20'000;
  auto port = open(base() + "}1");
  Child sender([&] {
    auto master = open(base() + "{1");
    return send_all(master, count) && receive_all(master, 10) == numbers(0, 10);
  });
  EXPECT_EQ(receive_all(port, count), numbers(0, count));
  EXPECT_TRUE(send_all(port, 10));
  EXPECT_TRUE(sender.succeeded());
}

TEST_P(Pipes, AreOnePipeIfBothEndsAreOpenedAtOnce) {
  for (int round = 0; round != 100; ++round) {
    const std::string name = base() + "r" + std::to_string(round);
    std::array<int, 2> start{};
    ASSERT_EQ(::pipe(start.data()), 0);
    const auto meet = [&](const std::string& end) {
      ::close(start[1]);
      char closed = 0;
      (void)!::read(start[0], &closed, 1);
      auto port = open(end);
      send_and_sync(port, 0, 1);
      must(port.wait(Direction::rx, patience));
      return sync_and_take(port) == numbers(0, 1);
    };
    Child left([&] { return meet(name + "{1"); });
    Child right([&] { return meet(name + "}1"); });
    ::close(start[0]);
    ::close(start[1]);
    EXPECT_TRUE(left.succeeded()) << "round " << round;
    ASSERT_TRUE(right.succeeded()) << "round " << round;
  }
}

TEST_P(Pipes, TellOnlyOnTheEmbeddedDeviceThatThePeerHasGone) {
  const auto port = try_open(base() + "}1", {.ends_with_peer = true});
  EXPECT_EQ(code_of(port), is_kernel() ? make_error_code(errc::not_supported) : std::error_code());
}

TEST_P(Pipes, OutliveAProcessThatSentIntoThem) {
  auto port = open(base() + "}1");
  Child sender([&] {
    auto master = open(base() + "{1");
    send_and_sync(master, 0, 100);
    return true;
  });
  ASSERT_TRUE(sender.succeeded());
  EXPECT_EQ(sync_and_take(port), numbers(0, 100));
  auto master = open(base() + "{1");
  carry(master, port, 3000);
}

}  // namespace
}  // namespace netmap::conformance
