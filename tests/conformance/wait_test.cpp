// SPDX-License-Identifier: BSD-2-Clause
//
// Sleeping and being woken: by wait(), and by a foreign event loop through wait handles. Nothing
// here measures time; a lost wake-up shows as a wait that ends with nothing.
#include "conformance/device.hpp"

#include <thread>

#include <poll.h>

namespace netmap::conformance {
namespace {

using Waits = OnDevice;
ON_EVERY_DEVICE(Waits);

constexpr Directions both = Direction::rx | Direction::tx;

TEST_P(Waits, EndWithNothingAtTheTimeout) {
  auto [master, slave] = open_pipe();
  EXPECT_TRUE(must(slave.wait(Direction::rx, moment)).empty());
  EXPECT_EQ(slave.stats().polls, 1U);
  EXPECT_TRUE(must(slave.wait(Direction::rx, std::chrono::nanoseconds(0))).empty());
}

TEST_P(Waits, DoNotSleepIfThereIsSomething) {
  auto [master, slave] = open_pipe();
  send_and_sync(master, 0, 3);
  EXPECT_EQ(must(slave.wait(Direction::rx)), Directions(Direction::rx));
  EXPECT_EQ(slave.rx_rings()[0].slots().size(), 3U) << "the wait synced";
  EXPECT_EQ(must(slave.wait(Direction::tx)), Directions(Direction::tx));
  EXPECT_EQ(must(slave.wait(both)), both);
  const bool poll_syncs = is_kernel() && !has_faults();  // then wait() leaves the sync to it
  EXPECT_EQ(slave.stats().polls, poll_syncs ? 3U : 0U);
}

TEST_P(Waits, YieldTheDirectionsThatAreReady) {
  auto [master, slave] = open_pipe();
  EXPECT_EQ(must(slave.wait(both)), Directions(Direction::tx));
  send_numbered(slave.tx_rings()[0], 0, 5000);
  EXPECT_TRUE(must(slave.wait(both, moment)).empty());
  send_and_sync(master, 0, 1);
  EXPECT_EQ(must(slave.wait(both)), Directions(Direction::rx));
}

TEST_P(Waits, ForRxNeverSend) {
  auto [master, slave] = open_pipe();
  ASSERT_EQ(send_numbered(master.tx_rings()[0], 0, 3), 3U);
  EXPECT_TRUE(must(master.wait(Direction::rx, moment)).empty());
  EXPECT_TRUE(sync_and_take(slave).empty());
  must(master.sync_tx());
  EXPECT_EQ(sync_and_take(slave), numbers(0, 3));
}

TEST_P(Waits, ForTxSyncEveryRing) {
  auto [master, slave] = open_pipe({.conf = {.tx_rings = 2, .rx_rings = 2}});
  send_numbered(master.tx_rings()[1], 0, 5000);
  must(master.sync_tx());
  EXPECT_TRUE(master.tx_rings()[1].slots().empty());
  EXPECT_FALSE(sync_and_take(slave, 1).empty());
  must(slave.sync_rx());
  EXPECT_EQ(must(master.wait(Direction::tx)), Directions(Direction::tx)) << "ring 0 has room";
  EXPECT_FALSE(master.tx_rings()[1].slots().empty());
}

TEST_P(Waits, ForTxSend) {
  auto [master, slave] = open_pipe();
  ASSERT_EQ(send_numbered(master.tx_rings()[0], 0, 3), 3U);
  EXPECT_EQ(must(master.wait(Direction::tx)), Directions(Direction::tx));
  EXPECT_EQ(sync_and_take(slave), numbers(0, 3));
}

TEST_P(Waits, GiveBackWhatWasReleased) {
  auto [master, slave] = open_pipe();
  send_numbered(master.tx_rings()[0], 0, 5000);
  must(master.sync_tx());
  EXPECT_EQ(sync_and_take(slave).size(), master.tx_rings()[0].num_slots() - 1);
  EXPECT_TRUE(must(slave.wait(Direction::rx, moment)).empty());
  must(master.sync_tx());
  EXPECT_EQ(master.tx_rings()[0].pending(), 0U);
}

TEST_P(Waits, IgnoreWhatWasSeen) {
  auto [master, slave] = open_pipe();
  RxRing& rx = slave.rx_rings()[0];
  send_and_sync(master, 0, 2);
  must(slave.wait(Direction::rx));
  must(rx.seen(rx.slots().end()));
  EXPECT_FALSE(rx.is_ready());
  EXPECT_TRUE(must(slave.wait(Direction::rx, moment)).empty());
  EXPECT_EQ(rx.slots().size(), 2U) << "seen is not released";
  send_and_sync(master, 2, 1);
  EXPECT_EQ(must(slave.wait(Direction::rx)), Directions(Direction::rx));
  EXPECT_EQ(take_numbers(rx), numbers(0, 3));
}

TEST_P(Waits, ForRoomEndAtTheRoomThatWasWanted) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 32, .rx_slots = 32}});
  TxRing& tx = master.tx_rings()[0];
  RxRing& rx = slave.rx_rings()[0];
  send_numbered(tx, 0, 100);
  must(master.sync_tx());
  EXPECT_TRUE(must(master.wait(Direction::tx, moment)).empty());
  must(slave.sync_rx());
  must(tx.want(10));
  must(rx.release(rx.slots()[4].after()));
  must(slave.sync_rx());
  EXPECT_TRUE(must(master.wait(Direction::tx, moment)).empty()) << "five are not ten";
  must(rx.release(rx.slots()[4].after()));
  must(slave.sync_rx());
  EXPECT_EQ(must(master.wait(Direction::tx)), Directions(Direction::tx));
  EXPECT_EQ(tx.slots().size(), 10U);
  EXPECT_EQ(code_of(tx.want(32)), errc::ring_full);
}

TEST_P(Waits, OnSeveralRingsEndAtAnyOfThem) {
  auto [master, slave] = open_pipe({.conf = {.tx_rings = 4, .rx_rings = 4}});
  for (const std::size_t ring : {3U, 0U, 2U}) {
    send_and_sync(master, 0, 1, ring);
    EXPECT_EQ(must(slave.wait(Direction::rx)), Directions(Direction::rx));
    EXPECT_TRUE(slave.rx_rings()[ring].is_ready());
    EXPECT_EQ(take_numbers(slave.rx_rings()[ring]), numbers(0, 1));
  }
}

TEST_P(Waits, OnOneRingIgnoreTheOthers) {
  auto master = open(base() + "{1", {.conf = {.tx_rings = 2, .rx_rings = 2}});
  auto slave = open(base() + "}1-1");
  send_and_sync(master, 0, 1, 0);
  EXPECT_TRUE(must(slave.wait(Direction::rx, moment)).empty());
  send_and_sync(master, 0, 1, 1);
  EXPECT_EQ(must(slave.wait(Direction::rx)), Directions(Direction::rx));
}

// ---- Being woken
// ---------------------------------------------------------------------------------

/// Sends each number and waits for it to come back.
bool ping(Port& port, std::uint32_t rounds) {
  for (std::uint32_t i = 0; i != rounds; ++i) {
    must(port.tx_rings()[0].send(numbered(i)));
    must(port.sync_tx());
    if (must(port.wait(Direction::rx, patience)).empty()) return false;
    if (take_numbers(port.rx_rings()[0]) != numbers(i, 1)) return false;
  }
  return true;
}

bool pong(Port& port, std::uint32_t rounds) {
  for (std::uint32_t i = 0; i != rounds; ++i) {
    if (must(port.wait(Direction::rx, patience)).empty()) return false;
    if (take_numbers(port.rx_rings()[0]) != numbers(i, 1)) return false;
    must(port.tx_rings()[0].send(numbered(i)));
    must(port.sync_tx());
  }
  return true;
}

TEST_P(Waits, EndWhenAnotherThreadSends) {
  auto [master, slave] = open_pipe();
  bool answered = false;
  std::jthread other([&answered, &port = slave] { answered = pong(port, 3000); });
  EXPECT_TRUE(ping(master, 3000));
  other.join();
  EXPECT_TRUE(answered);
  EXPECT_GT(master.stats().polls + slave.stats().polls, 0U) << "nobody slept, nothing was shown";
}

TEST_P(Waits, EndWhenAnotherProcessSends) {
  auto master = open(base() + "{1");
  Child other([&] {
    auto slave = open(base() + "}1");
    return pong(slave, 2000);
  });
  EXPECT_TRUE(ping(master, 2000));
  EXPECT_TRUE(other.succeeded());
}

TEST_P(Waits, ThatSpinFirstMissNothing) {
  const PortOptions spinning{.spin = std::chrono::microseconds(20)};
  auto [master, slave] = open_pipe(spinning);
  bool answered = false;
  std::jthread other([&answered, &port = slave] { answered = pong(port, 1000); });
  EXPECT_TRUE(ping(master, 1000));
  other.join();
  EXPECT_TRUE(answered);
}

TEST_P(Waits, ForRoomEndWhenAnotherThreadMakesSome) {
  constexpr std::uint32_t count = 5000;
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 4, .rx_slots = 4}});
  std::jthread sender([&port = master] {
    for (std::uint32_t sent = 0; sent != count;) {
      if (must(port.wait(Direction::tx, patience)).empty()) return;
      sent += send_numbered(port.tx_rings()[0], sent, count - sent);
      must(port.sync_tx());
    }
  });
  std::vector<std::uint32_t> received;
  while (received.size() != count && !must(slave.wait(Direction::rx, patience)).empty()) {
    for (const auto number : take_numbers(slave.rx_rings()[0])) received.push_back(number);
    must(slave.sync_rx());
  }
  EXPECT_EQ(received, numbers(0, count));
}

// ---- Foreign event loops
// -------------------------------------------------------------------------

/// Whether the handle shows its events.
bool is_signalled(const WaitHandle& handle, std::chrono::milliseconds timeout) {
  pollfd one{handle.fd, handle.events, 0};
  const int ready = ::poll(&one, 1, static_cast<int>(timeout.count()));
  EXPECT_EQ(one.revents & (POLLERR | POLLNVAL), 0);
  return ready == 1 && (one.revents & handle.events) != 0;
}

TEST_P(Waits, OfALoopEndWhenSomethingArrives) {
  auto [master, slave] = open_pipe();
  for (std::uint32_t round = 0; round != 3; ++round) {
    must(slave.sync_rx());
    ASSERT_TRUE(must(slave.arm(Direction::rx)));
    const WaitHandle handle = slave.wait_handle(Direction::rx);
    EXPECT_FALSE(is_signalled(handle, moment));
    send_and_sync(master, round, 1);
    EXPECT_TRUE(is_signalled(handle, patience));
    slave.disarm(Direction::rx);
    EXPECT_EQ(sync_and_take(slave), numbers(round, 1));
  }
}

TEST_P(Waits, OfALoopEndWhenThereIsRoom) {
  auto [master, slave] = open_pipe();
  for (int round = 0; round != 3; ++round) {
    send_numbered(master.tx_rings()[0], 0, 5000);
    must(master.sync_tx());
    ASSERT_TRUE(must(master.arm(Direction::tx)));
    const WaitHandle handle = master.wait_handle(Direction::tx);
    EXPECT_FALSE(is_signalled(handle, moment));
    EXPECT_FALSE(sync_and_take(slave).empty());
    must(slave.sync_rx());
    EXPECT_TRUE(is_signalled(handle, patience));
    master.disarm(Direction::tx);
    must(master.sync_tx());
    EXPECT_TRUE(master.tx_rings()[0].is_ready());
  }
}

TEST_P(Waits, OfALoopForOneDirectionAreNotEndedByTheOther) {
  auto [master, slave] = open_pipe();
  send_numbered(slave.tx_rings()[0], 0, 5000);
  must(slave.sync_tx());
  ASSERT_TRUE(must(slave.arm(both)));
  send_and_sync(master, 0, 1);
  EXPECT_FALSE(is_signalled(slave.wait_handle(Direction::tx), moment));
  EXPECT_TRUE(is_signalled(slave.wait_handle(Direction::rx), patience));
  slave.disarm(both);
  EXPECT_EQ(sync_and_take(slave), numbers(0, 1));
}

TEST_P(Waits, OfALoopAreNotNeededIfSomethingIsThere) {
  auto [master, slave] = open_pipe();
  send_and_sync(master, 0, 1);
  must(slave.sync_rx());
  if (must(slave.arm(Direction::rx))) {
    EXPECT_TRUE(is_signalled(slave.wait_handle(Direction::rx), patience));
  }
  slave.disarm(Direction::rx);
  EXPECT_EQ(sync_and_take(slave), numbers(0, 1));
}

TEST_P(Waits, OfALoopCanBeTakenBack) {
  auto [master, slave] = open_pipe();
  ASSERT_TRUE(must(slave.arm(Direction::rx)));
  slave.disarm(Direction::rx);
  send_and_sync(master, 0, 1);
  EXPECT_EQ(sync_and_take(slave), numbers(0, 1));
  EXPECT_TRUE(must(slave.wait(Direction::rx, moment)).empty()) << "no wake-up is left over";
}

}  // namespace
}  // namespace netmap::conformance
