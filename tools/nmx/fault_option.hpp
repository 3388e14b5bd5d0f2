// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/faults.hpp>
#include <netmap/port.hpp>

#include <expected>
#include <optional>
#include <span>
#include <string>

namespace CLI {
class App;
}

namespace nmx {

/// --fault drop=0.01,delay=1ms,…
void add_fault_option(CLI::App& app, std::optional<netmap::Faults>& faults);

/// "drop=0.01,delay=1ms,seed=7": the members of netmap::Faults, with "short" for short_batch.
[[nodiscard]] std::expected<netmap::Faults, std::string> parse_faults(const std::string& text);

/// "faults: 3 dropped, 1 corrupted".
[[nodiscard]] std::string to_text(const netmap::FaultCounts& counts);
/// Says on stderr what they did to these, all of one name, if any were asked for.
void say_faults(const std::optional<netmap::Faults>& asked, std::span<const netmap::Port> ports);

}  // namespace nmx
