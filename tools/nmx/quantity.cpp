// SPDX-License-Identifier: BSD-2-Clause
#include "quantity.hpp"

#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

namespace nmx {
namespace {

/// What a text begins with, and what is left of it; NaN if that is no number.
std::pair<double, std::string_view> split(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) number = std::numeric_limits<double>::quiet_NaN();
  return {number, text.substr(static_cast<std::size_t>(end - text.data()))};
}

/// 0 if there is no such unit.
double factor_of(std::string_view unit) {
  if (unit.empty()) return 1;
  if (unit == "k") return 1e3;
  if (unit == "M") return 1e6;
  return unit == "G" ? 1e9 : 0;
}

}  // namespace

std::expected<double, std::string> parse_quantity(std::string_view text) {
  constexpr double most = 1e15;
  const auto [number, unit] = split(text);
  const double quantity = number * factor_of(unit);
  if (quantity > 0 && quantity <= most) return quantity;
  return std::unexpected("'" + std::string(text) +
                         "' is no quantity; one looks like 50000, 50k, 1.5M or 10G");
}

std::expected<std::uint64_t, std::string> parse_count(std::string_view text) {
  if (text == "0") return 0;
  const auto quantity = parse_quantity(text);
  if (!quantity) return std::unexpected(quantity.error());
  const auto count = static_cast<std::uint64_t>(*quantity);
  if (static_cast<double>(count) == *quantity) return count;
  return std::unexpected("'" + std::string(text) + "' is no whole number");
}

std::expected<double, std::string> parse_probability(std::string_view text) {
  const auto [number, rest] = split(text);
  if (rest.empty() && number >= 0 && number <= 1) return number;
  return std::unexpected("'" + std::string(text) + "' is no probability, which is from 0 to 1");
}

}  // namespace nmx
