// SPDX-License-Identifier: BSD-2-Clause
//
// What `nmx capture` does, for other subcommands.
#pragma once

#include "options.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace nmx {

struct CaptureOptions : TransferOptions {
  std::string output = "-";
  std::string filter;
  std::uint32_t snaplen = 262'144;
  std::optional<std::chrono::milliseconds> silence;
};

netmap::Result<int> capture(const CaptureOptions& options);

}  // namespace nmx
