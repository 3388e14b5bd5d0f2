// SPDX-License-Identifier: BSD-2-Clause
//
// Two interfaces that are joined to each other, which NETMAP_TEST_VETH names; see tests/with_veth.
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace netmap::test {

struct JoinedInterfaces {
  std::string near;
  std::string far;
};
/// Nothing where there are none.
inline std::optional<JoinedInterfaces> joined_interfaces() {
  const char* const pair = std::getenv("NETMAP_TEST_VETH");
  JoinedInterfaces joined;
  if (pair == nullptr || !(std::istringstream(pair) >> joined.near >> joined.far)) return {};
  return joined;
}
inline constexpr const char* no_interfaces =
    "NETMAP_TEST_VETH does not name two joined interfaces; see tests/with_veth";

/// What a shell command prints; fails the test if it fails.
inline std::string shell(const std::string& command) {
  std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string printed;
  std::array<char, 512> some{};
  while (std::fgets(some.data(), some.size(), pipe) != nullptr) printed += some.data();
  EXPECT_EQ(::pclose(pipe), 0) << command << ": " << printed;
  return printed;
}

/// The mode that the kernel itself says an interface's program has: "native", "generic" or "none".
inline std::string attached_mode(const std::string& interface) {
  const std::string link = shell("ip link show dev " + interface);
  if (link.find(" xdpgeneric ") != std::string::npos) return "generic";
  return link.find(" xdp ") != std::string::npos ? "native" : "none";
}

}  // namespace netmap::test
