// SPDX-License-Identifier: BSD-2-Clause
//
// Monitors while others come and go: who wakes them, whose coming and going they outlive, and what
// they answer afterwards.
#include "conformance/device.hpp"

#include <future>
#include <string>
#include <vector>

namespace netmap::conformance {
namespace {

using MonitorLives = OnDevice;
ON_EVERY_DEVICE(MonitorLives);

TEST_P(MonitorLives, AreWokenByWhatTheyAreShown) {
  for (const std::string which : {"{1/Rt", "}1/Rr", "{1/Rz"}) {
    auto [master, slave] = open_pipe();
    OPEN_OR_END(monitor, base() + which);
    EXPECT_TRUE(must(monitor.wait(Direction::rx, moment)).empty()) << which;
    auto woken = std::async(std::launch::async, [&] {
      must(monitor.wait(Direction::rx, patience));
      return take_numbers(monitor.rx_rings()[0]);
    });
    send_and_sync(master, 0, 1);
    EXPECT_EQ(sync_and_take(slave), numbers(0, 1));
    must(slave.sync_rx());
    must(master.sync_tx());
    EXPECT_EQ(woken.get(), numbers(0, 1)) << which;
  }
}

TEST_P(MonitorLives, BeginWithWhatComesNext) {
  auto [master, slave] = open_pipe();
  send_and_sync(master, 0, 5);
  must(slave.sync_rx());
  ASSERT_EQ(send_numbered(master.tx_rings()[0], 5, 5), 5U);
  OPEN_OR_END(sent, base() + "{1/t");
  Port received = open(base() + "}1/r");
  must(master.sync_tx());
  EXPECT_EQ(sync_and_take(sent), numbers(5, 5)) << "committed before, but sent now";
  EXPECT_EQ(sync_and_take(received), numbers(5, 5));
  EXPECT_EQ(sync_and_take(slave), numbers(0, 10));
}

TEST_P(MonitorLives, GetRoomBackWhenTheySync) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(monitor, base() + "{1/t@conf:rx-slots=8");
  RxRing& rx = monitor.rx_rings()[0];
  send_and_sync(master, 0, 7);
  must(monitor.sync_rx());
  must(rx.release(rx.slots()[2].after()));
  send_and_sync(master, 7, 1);
  EXPECT_EQ(sync_and_take(monitor), numbers(3, 4)) << "released, but that was not said";
  must(monitor.sync_rx());
  send_and_sync(master, 8, 20);
  EXPECT_EQ(sync_and_take(monitor), numbers(21, 7));
}

TEST_P(MonitorLives, GoOnWhenTheOtherEndIsReopened) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(monitor, base() + "}1/rt");
  for (std::uint32_t sent = 0; sent != 20; sent += 10) {
    send_and_sync(master, sent, 10);
    send_and_sync(slave, sent + 100, 10);
    EXPECT_EQ(sync_and_take(slave), numbers(sent, 10));
    must(slave.sync_rx());
    auto expected = numbers(sent, 10);
    for (const std::uint32_t number : numbers(sent + 100, 10)) expected.push_back(number);
    EXPECT_EQ(sync_and_take(monitor), expected);
    close(master);
    master = open(base() + "{1");
  }
}

TEST_P(MonitorLives, LastAsLongAsAnybodyHasThePort) {
  auto [master, slave] = open_pipe({.conf = {.tx_rings = 2, .rx_rings = 2}});
  close(master);
  Port one = open(base() + "{1-0");
  Port other = open(base() + "{1-1");
  OPEN_OR_END(monitor, base() + "{1/Rt");
  close(one);
  send_and_sync(other, 0, 5);
  EXPECT_EQ(sync_and_take(monitor, 1), numbers(0, 5));
  one = open(base() + "{1-0");
  send_and_sync(one, 10, 5);
  EXPECT_EQ(sync_and_take(monitor, 0), numbers(10, 5)) << "the same port";
}

TEST_P(MonitorLives, SeeRingsThatAreOpenedLater) {
  auto [master, slave] = open_pipe({.conf = {.tx_rings = 2, .rx_rings = 2}});
  close(master);
  Port one = open(base() + "{1-0");
  OPEN_OR_END(monitor, base() + "{1/Rt");
  Port other = open(base() + "{1-1");
  send_and_sync(other, 0, 5);
  EXPECT_EQ(sync_and_take(monitor, 1), numbers(0, 5));
}

TEST_P(MonitorLives, EndWithTheProcessThatHasThePort) {
  OPEN_OR_END(slave, base() + "}1");
  close(slave);
  slave = open(base() + "}1");
  Port keeps = open(base() + "{1");
  Port monitor = open(base() + "{1/Rt");
  close(keeps);
  EXPECT_FALSE(monitor.wait(Direction::rx, patience));
  Child sender([&] {
    Port master = open(base() + "{1");
    Port own = open(base() + "{1/Rt");
    send_and_sync(master, 0, 5);
    return sync_and_take(own) == numbers(0, 5);
  });
  EXPECT_TRUE(sender.succeeded());
  EXPECT_EQ(sync_and_take(slave), numbers(0, 5));
  EXPECT_FALSE(monitor.wait(Direction::rx, patience)) << "that was another port";
}

TEST_P(MonitorLives, StillHoldWhatTheyHadWhenThePortGoes) {
  for (const std::string which : {"/Rt", "/Rz"}) {
    auto [master, slave] = open_pipe();
    OPEN_OR_END(monitor, base() + "{1" + which);
    send_and_sync(master, 0, 5);
    EXPECT_EQ(sync_and_take(slave), numbers(0, 5));
    must(slave.sync_rx());
    must(master.sync_tx());
    must(monitor.sync_rx());
    close(master);
    close(slave);
    EXPECT_EQ(take_numbers(monitor.rx_rings()[0]), numbers(0, 5)) << which;
  }
}

}  // namespace
}  // namespace netmap::conformance
