// SPDX-License-Identifier: BSD-2-Clause
//
// The subcommands of `nmx switch`.
#pragma once

#include "options.hpp"

namespace nmx {

/// What all of them are told, and those that name one port.
struct SwitchOptions {
  netmap::DeviceOptions device;
  std::string name;
  bool as_json = false;
};

/// Says on stderr which device and domain it is, as every subcommand does first. Fails if there is
/// no such device.
netmap::Result<netmap::PortInfo> introduce(const std::string& command,
                                           const netmap::DeviceOptions& device);

Command add_switch_list(CLI::App& app);
Command add_switch_watch(CLI::App& app);
Command add_switch_info(CLI::App& app);
Command add_switch_run(CLI::App& app);

}  // namespace nmx
