// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "options.hpp"

#include <vector>

namespace nmx {

/// All of nmx's subcommands, added to `nmx`, which gets its own options, too.
std::vector<Command> add_commands(CLI::App& nmx);

}  // namespace nmx
