// SPDX-License-Identifier: BSD-2-Clause
//
// What `nmx bridge` does, for other subcommands.
#pragma once

#include "options.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nmx {

struct BridgeOptions {
  netmap::DeviceOptions device;
  std::optional<netmap::Faults> faults;
  ReportOptions report;
  std::vector<std::string> ports;  ///< two, or one that is bridged to its own host rings
  bool is_loop = false;            ///< or one, whose packets go back where they came from
  std::uint32_t batch = 1024;
  std::optional<double> link_wait;
  std::optional<std::chrono::milliseconds> silence;
};

/// All but the ports.
void add_bridge_options(CLI::App& app, BridgeOptions& options);

/// Forwards until stopped, and says so as the subcommand `command`.
netmap::Result<int> bridge(const std::string& command, const BridgeOptions& options);

}  // namespace nmx
