// SPDX-License-Identifier: BSD-2-Clause
//
// Monitors: a second port that sees what another one sends or receives.
#include "conformance/device.hpp"

namespace netmap::conformance {
namespace {

using Monitors = OnDevice;
ON_EVERY_DEVICE(Monitors);

TEST_P(Monitors, SeeWhatIsSent) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(monitor, base() + "{1/t");
  EXPECT_NE(monitor.info().memory_id, master.info().memory_id) << "it has copies";
  send_and_sync(master, 0, 10);
  EXPECT_EQ(sync_and_take(monitor), numbers(0, 10));
  EXPECT_EQ(sync_and_take(slave), numbers(0, 10)) << "and takes nothing away";
  send_and_sync(slave, 100, 10);
  EXPECT_EQ(sync_and_take(master), numbers(100, 10));
  EXPECT_TRUE(sync_and_take(monitor).empty()) << "what is received is not asked for";
}

TEST_P(Monitors, SeeWhatIsReceived) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(monitor, base() + "}1/r");
  send_and_sync(master, 0, 10);
  EXPECT_EQ(sync_and_take(monitor), numbers(0, 10)) << "before the receiver looks";
  EXPECT_EQ(sync_and_take(slave), numbers(0, 10));
  EXPECT_TRUE(sync_and_take(monitor).empty()) << "and only once";
}

TEST_P(Monitors, ThatAreFullMissPacketsAndStopNobody) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(monitor, base() + "{1/t");
  ASSERT_EQ(monitor.rx_rings()[0].num_slots(), 1024U);
  for (std::uint32_t sent = 0; sent != 3000; sent += 500) {
    send_and_sync(master, sent, 500);
    EXPECT_EQ(sync_and_take(slave), numbers(sent, 500));
    must(slave.sync_rx());
    must(master.sync_tx());
  }
  auto expected = numbers(0, 1000);
  for (const std::uint32_t last : numbers(1477, 23)) expected.push_back(last);
  EXPECT_EQ(sync_and_take(monitor), expected) << "of the batch that overflows, the newest are kept";
}

TEST_P(Monitors, WithoutCopiesShareTheMemory) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(monitor, base() + "}1/rz");
  EXPECT_EQ(monitor.info().memory_id, master.info().memory_id);
  send_and_sync(master, 0, 10);
  EXPECT_EQ(sync_and_take(slave), numbers(0, 10));
  EXPECT_TRUE(sync_and_take(monitor).empty()) << "the receiver has not given them back";
  must(slave.sync_rx());
  EXPECT_EQ(sync_and_take(monitor), numbers(0, 10));
}

TEST_P(Monitors, NeedThePortToBeOpen) {
  const auto monitor = try_open(base() + "{1/t");
  if (refused(monitor)) return;
  EXPECT_EQ(code_of(monitor), std::errc::invalid_argument);
}

}  // namespace
}  // namespace netmap::conformance
