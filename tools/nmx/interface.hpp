// SPDX-License-Identifier: BSD-2-Clause
//
// What the system knows of a network interface.
#pragma once

#include "addresses.hpp"

#include <optional>
#include <string>
#include <vector>

namespace nmx {

struct Interface {
  std::string name;
  std::string driver = {};  ///< empty for interfaces without hardware
  bool is_up = false;
  bool has_link = false;
  unsigned mtu = 0;
  std::vector<std::string> offloads = {};  ///< those that are on, by ethtool's short names
};

[[nodiscard]] std::vector<std::string> interface_names();
[[nodiscard]] std::optional<Interface> look_at(const std::string& name);
[[nodiscard]] std::optional<MacAddress> mac_of(const std::string& name);

/// The first line of a small file, without its end; empty if there is none.
[[nodiscard]] std::string first_line(const std::string& path);

}  // namespace nmx
