// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

namespace nmx {

/// "250ns", "100us", "1.5ms", "2s", or "0"; at most a day. The error is a phrase that says what was
/// expected.
[[nodiscard]] std::expected<std::chrono::nanoseconds, std::string> parse_duration(
    std::string_view text);
/// The same, but for 0.
[[nodiscard]] std::expected<std::chrono::nanoseconds, std::string> parse_positive_duration(
    std::string_view text);

}  // namespace nmx
