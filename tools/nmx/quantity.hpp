// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace nmx {

/// "50000", "50k", "1.5M" or "10G": k, M and G are powers of 1000, of bytes, too; more than 0, at
/// most 1e15. The error is a phrase that says what was expected.
[[nodiscard]] std::expected<double, std::string> parse_quantity(std::string_view text);

/// The same where only whole numbers make sense, and 0.
[[nodiscard]] std::expected<std::uint64_t, std::string> parse_count(std::string_view text);

/// "0.01", "1e-9": from 0 to 1.
[[nodiscard]] std::expected<double, std::string> parse_probability(std::string_view text);

}  // namespace nmx
