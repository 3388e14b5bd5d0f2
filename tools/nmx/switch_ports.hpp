// SPDX-License-Identifier: BSD-2-Clause
//
// Ports of VALE switches, as `nmx switch` shows them.
#pragma once

#include "report.hpp"

#include <netmap/control.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace nmx {

/// The ports of a switch, or all that are on switches, and VALE interfaces that are on none; a port
/// that a process has open by single rings is one. Fails if there is no such switch.
[[nodiscard]] netmap::Result<std::vector<netmap::OpenPort>> ports_of(
    const std::string& vale, const netmap::DeviceOptions& device);

/// Those of one name and process, which differ in rings, as one.
[[nodiscard]] std::vector<netmap::OpenPort> merged(std::vector<netmap::OpenPort> ports);

/// A line for each, below a line of titles.
[[nodiscard]] std::string port_table(const std::vector<netmap::OpenPort>& ports);
[[nodiscard]] Json to_json(const netmap::OpenPort& port);

/// What moved between two looks at the ports: of a VALE port that was opened between all that there
/// is, of a pipe nothing, for its counts are older than who has it open.
[[nodiscard]] std::vector<netmap::OpenPort> moved_since(const std::vector<netmap::OpenPort>& before,
                                                        std::vector<netmap::OpenPort> now);
/// The same for what moved in `time`.
[[nodiscard]] std::string rate_table(const std::vector<netmap::OpenPort>& moved,
                                     std::chrono::duration<double> time);

}  // namespace nmx
