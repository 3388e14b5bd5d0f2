// SPDX-License-Identifier: BSD-2-Clause
//
// Monitors of the ports of a switch.
#include "conformance/vale.hpp"

#include <cstdint>
#include <vector>

namespace netmap::conformance {
namespace {

using MonitoredVale = OnSwitch;
ON_EVERY_DEVICE(MonitoredVale);

TEST_P(MonitoredVale, ShowsEachReceiverOfWhatIsForAll) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port c = open(port_name("c"));
  Port at_a = open(port_name("a") + "/r");
  Port at_b = open(port_name("b") + "/r");
  Port at_c = open(port_name("c") + "/r");
  send_frames(a, 0, 0, 5, 1);
  EXPECT_EQ(take(at_b), numbers(0, 5));
  EXPECT_EQ(take(at_c), numbers(0, 5));
  EXPECT_TRUE(take(at_a).empty()) << "it sent them";
  send_frames(b, 0, 5, 5, 2, 1);
  EXPECT_EQ(take(at_a), numbers(5, 5));
  EXPECT_TRUE(take(at_c).empty()) << "the switch knows where 1 is";
}

TEST_P(MonitoredVale, DoesNotShowAtAReceiverWhatItDropped) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b") + "@conf:slots=16");
  Port sent = open(port_name("a") + "/t@conf:rx-slots=64");
  Port received = open(port_name("b") + "/r@conf:rx-slots=64");
  send_frames(a, 0, 0, 30, 1);
  EXPECT_EQ(take(sent), numbers(0, 30));
  const auto delivered = take(b);
  EXPECT_LT(delivered.size(), 30U);
  EXPECT_EQ(take(received), delivered);
}

TEST_P(MonitoredVale, ShowsBothDirectionsInOrder) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port both = open(port_name("a") + "/rt");
  send_frames(a, 0, 0, 2, 1);
  send_frames(b, 0, 2, 2, 2, 1);
  send_frames(a, 0, 4, 2, 1, 2);
  EXPECT_EQ(take(both), numbers(0, 6));
}

TEST_P(MonitoredVale, ShowsBuffersOnceTheyAreReleased) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port sent = open(port_name("a") + "/z");
  Port received = open(port_name("b") + "/z");
  EXPECT_EQ(sent.info().memory_id, a.info().memory_id);
  EXPECT_EQ(received.info().memory_id, b.info().memory_id);
  for (std::uint32_t round = 0; round != 5; ++round) {
    send_frames(a, 0, round * 10, 10, 1);
    EXPECT_EQ(take(sent), numbers(round * 10, 10)) << "a switch has copied them by now";
    EXPECT_TRUE(take(received).empty()) << "the receiver has not looked";
    EXPECT_EQ(take(b), numbers(round * 10, 10));
    EXPECT_EQ(take(received), numbers(round * 10, 10));
  }
}

TEST_P(MonitoredVale, ShowsPacketsOfSeveralSlots) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port sent = open(port_name("a") + "/t");
  Port received = open(port_name("b") + "/r");
  must(a.tx_rings()[0].send(frame(1, 1, broadcast, 9000)));
  must(a.tx_rings()[0].send(frame(2, 1)));
  must(a.sync_tx());
  for (Port* const monitor : {&sent, &received}) {
    must(monitor->sync_rx());
    EXPECT_EQ(monitor->rx_rings()[0].slots().size(), 6U);
    EXPECT_EQ(take(*monitor), numbers(1, 2));
  }
}

TEST_P(MonitoredVale, IsNotKeptByMonitors) {
  OPEN_OR_END(a, port_name("a"));
  Port monitor = open(port_name("a") + "/Rt");
  close(a);
  EXPECT_FALSE(monitor.wait(Direction::rx, patience));
  close(monitor);
  EXPECT_FALSE(is_there(port_name("a")));
  a = open(port_name("a"));
  Port b = open(port_name("b"));
  send_frames(a, 0, 0, 5, 1);
  EXPECT_EQ(take(b), numbers(0, 5));
}

}  // namespace
}  // namespace netmap::conformance
