// SPDX-License-Identifier: BSD-2-Clause
#include "xdp/support.hpp"

#include <cstdio>

namespace netmap::xdp {

std::string shell(const std::string& command) {
  std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string printed;
  std::array<char, 512> some{};
  while (std::fgets(some.data(), some.size(), pipe) != nullptr) printed += some.data();
  EXPECT_EQ(::pclose(pipe), 0) << command << ": " << printed;
  return printed;
}

std::string attached_mode(const std::string& interface) {
  const std::string link = shell("ip link show dev " + interface);
  if (link.find(" xdpgeneric ") != std::string::npos) return "generic";
  return link.find(" xdp ") != std::string::npos ? "native" : "none";
}

}  // namespace netmap::xdp
