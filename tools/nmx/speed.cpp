// SPDX-License-Identifier: BSD-2-Clause
#include "speed.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace nmx {
namespace {

/// Of a frame on the wire and not in a buffer: CRC 4, preamble 8, gap 12; IEEE 802.3.
constexpr std::uint32_t wire_bytes = 24;
constexpr double nanoseconds_of_second = 1e9;
/// 126 years, so that the sum of two of them, or of one and the time since the system's start, can
/// still be counted.
constexpr double longest = 4e18;

struct Suffix {
  std::string_view name;
  Speed::Kind kind;
};
constexpr std::array suffixes{Suffix{"x", Speed::Kind::captured},
                              Suffix{"pps", Speed::Kind::packets}, Suffix{"bps", Speed::Kind::bits},
                              Suffix{"bps-wire", Speed::Kind::wire_bits}};

constexpr std::array<std::pair<char, double>, 3> prefixes{{{'k', 1e3}, {'M', 1e6}, {'G', 1e9}}};

double take_prefix(std::string_view& suffix) {
  for (const auto& [letter, factor] : prefixes) {
    if (!suffix.starts_with(letter)) continue;
    suffix.remove_prefix(1);
    return factor;
  }
  return 1;
}

constexpr Schedule::Time far(static_cast<std::int64_t>(longest));

Schedule::Time nanoseconds(double count) {
  return Schedule::Time(static_cast<std::int64_t>(std::clamp(count, 0.0, longest)));
}

}  // namespace

std::expected<Speed, std::string> parse_speed(const std::string& text) {
  if (text == "original") return Speed{};
  if (text == "top") return Speed{.kind = Speed::Kind::top};
  Speed speed;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), speed.value,
                                            std::chars_format::fixed);
  std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  speed.value *= take_prefix(suffix);
  const auto* const known = std::ranges::find(suffixes, suffix, &Suffix::name);
  const bool is_in_range = speed.value >= 1e-6 && speed.value <= 1e15;  // NaN is not
  if (error != std::errc() || known == suffixes.end() || !is_in_range) {
    return std::unexpected("'" + text +
                           "' is no speed; one looks like original, top, 2x, 100kpps, 1Gbps or "
                           "10Gbps-wire");
  }
  speed.kind = known->kind;
  return speed;
}

double Schedule::amount(std::uint32_t bytes) const {
  if (speed_.kind == Speed::Kind::packets) return 1;
  const std::uint32_t more = speed_.kind == Speed::Kind::wire_bits ? wire_bytes : 0;
  return 8 * (static_cast<double>(bytes) + more);
}

Schedule::Time Schedule::next_due(Time time, std::uint32_t bytes) {
  Time due{0};
  if (speed_.kind == Speed::Kind::captured) {
    if (!first_) first_ = time;
    const Time distance = time - *first_;
    const bool is_exact = speed_.value == 1 && distance < far;
    due = base_ +
          (is_exact ? distance : nanoseconds(static_cast<double>(distance.count()) / speed_.value));
    due = std::min(due, far);
  } else {
    due = nanoseconds(before_ / speed_.value * nanoseconds_of_second);
    before_ += amount(bytes);
  }
  last_ = std::max(last_, due);
  return last_;
}

void Schedule::begin_anew() {
  first_.reset();
  base_ = last_;
}

}  // namespace nmx
