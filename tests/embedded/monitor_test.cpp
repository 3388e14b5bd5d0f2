// SPDX-License-Identifier: BSD-2-Clause
//
// What monitors of the embedded device have of their own; what they share with the module's is
// among the conformance cases.
#include "embedded/support.hpp"

#include <gmock/gmock.h>

namespace netmap::embedded {
namespace {

using testing::HasSubstr;

class Monitors : public InDomain {};

TEST_F(Monitors, ShowWhatTheyStillHaveAndThenSayThatNobodyIsWatched) {
  std::optional<Port> master = open("x{1");
  Port monitor = open("x{1/t");
  ASSERT_TRUE(send_number(master->tx_rings()[0], 0));
  must(master->sync_tx());
  master.reset();
  must(monitor.sync_rx());
  EXPECT_EQ(take_numbers(monitor.rx_rings()[0], 0), 1U);
  const auto ended = monitor.sync_rx();
  EXPECT_EQ(code_of(ended), std::errc::io_error);
  EXPECT_THAT(ended.error().message(), HasSubstr("nobody has open any more what it watched"));
}

TEST_F(Monitors, SayThatTheySendNothing) {
  const Port master = open("x{1");
  Port monitor = open("x{1/t");
  const auto sent = monitor.sync_tx();
  EXPECT_EQ(code_of(sent), std::errc::io_error);
  EXPECT_THAT(sent.error().message(), HasSubstr("a monitor sends nothing"));
}

TEST_F(Monitors, OfMoreRingsThanTheyCanHaveAreRefused) {
  const auto of_rings = [](std::uint16_t rings) {
    return PortOptions{.conf = {.tx_rings = rings, .rx_rings = 1, .tx_slots = 4, .rx_slots = 4}};
  };
  const Port most = open("x{1", of_rings(64));
  Port monitor = open("x{1/t");
  EXPECT_EQ(monitor.rx_rings().size(), 64U);
  const Port more = open("x{2", of_rings(65));
  const auto refused = try_open("x{2/t");
  EXPECT_EQ(code_of(refused), std::errc::not_enough_memory);
  EXPECT_THAT(refused.error().message(), HasSubstr("at most 64 rings"));
}

}  // namespace
}  // namespace netmap::embedded
