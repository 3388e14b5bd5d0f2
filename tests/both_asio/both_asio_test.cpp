// SPDX-License-Identifier: BSD-2-Clause
//
// One program that has a port in Asio and one in Boost's.
#include "both_asio/exchange.hpp"

#include "cli/domain.hpp"

#include <gtest/gtest.h>

std::uint64_t exchange_by_boost(const netmap::PortOptions& options, std::uint64_t sent);

namespace netmap {
namespace {

TEST(BothAsios, LiveInOneProgram) {
  const nmx_test::Directory domain("/dev/shm");
  const PortOptions options{.device = {.kind = DeviceKind::embedded, .domain = domain.path()}};
  EXPECT_EQ(exchange(options, 4711), 4711U);
  EXPECT_EQ(exchange_by_boost(options, 815), 815U);
}

}  // namespace
}  // namespace netmap
