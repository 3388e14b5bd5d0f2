// SPDX-License-Identifier: BSD-2-Clause
#include "duration.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace nmx {
namespace {

struct Unit {
  std::string_view name;
  double nanoseconds;
};

constexpr std::array units{Unit{"ns", 1}, Unit{"us", 1e3}, Unit{"µs", 1e3}, Unit{"ms", 1e6},
                           Unit{"s", 1e9}};
constexpr double day = 86'400e9;

}  // namespace

std::expected<std::chrono::nanoseconds, std::string> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto* const unit = std::ranges::find(units, suffix, &Unit::name);
  const bool is_zero = number == 0 && suffix.empty();
  const bool is_good = error == std::errc() && (is_zero || unit != units.end());
  const double nanoseconds = is_good && !is_zero ? number * unit->nanoseconds : 0;
  const bool fits = nanoseconds >= 0 && nanoseconds <= day;  // NaN does not
  if (!is_good || !fits) {
    return std::unexpected("'" + std::string(text) +
                           "' is no duration of at most a day; one looks like 100us, 1.5ms or 2s");
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds));
}

std::expected<std::chrono::nanoseconds, std::string> parse_positive_duration(
    std::string_view text) {
  auto duration = parse_duration(text);
  if (duration && duration->count() == 0) return std::unexpected("0 is too short a time here");
  return duration;
}

}  // namespace nmx
