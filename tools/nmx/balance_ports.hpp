// SPDX-License-Identifier: BSD-2-Clause
//
// Which pipes `nmx balance` sends into, and opening them.
#pragma once

#include "balancer.hpp"
#include "options.hpp"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nmx {

/// "4" or "NAME:4".
struct PipeGroup {
  std::optional<std::string> name = {};  ///< none: the input port's
  std::uint32_t pipes = 2;

  friend bool operator==(const PipeGroup&, const PipeGroup&) = default;
};

/// The error is a phrase that says what was expected.
[[nodiscard]] std::expected<PipeGroup, std::string> parse_pipe_group(std::string_view text);

/// The ends to be opened, a list for each group: "NAME{0", "NAME{1" and so on; of groups with the
/// same name a later one goes on counting. Fails with conflicting_options if the input is a
/// capture, whose name no pipe can have, or if one of these is the input's own pipe.
[[nodiscard]] netmap::Result<std::vector<std::vector<std::string>>> name_pipes(
    const std::string& input, const std::vector<PipeGroup>& groups);

struct BalanceOptions : PingPortOptions {
  std::vector<PipeGroup> groups = {};
  std::uint32_t overflow = 0;  ///< buffers
};

/// Opens the input, and the pipes in its region. Fails with not_supported if a pipe lies in another
/// region, or with what opening fails with.
[[nodiscard]] netmap::Result<Balance> open_balance(const BalanceOptions& options);

}  // namespace nmx
