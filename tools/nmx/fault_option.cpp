// SPDX-License-Identifier: BSD-2-Clause
#include "fault_option.hpp"

#include "duration.hpp"
#include "options.hpp"
#include "parsed_option.hpp"
#include "tell.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

namespace nmx {
namespace {

using netmap::FaultCounts;
using netmap::Faults;

constexpr std::pair<std::string_view, double Faults::*> probabilities[] = {
    {"drop", &Faults::drop},         {"duplicate", &Faults::duplicate},
    {"corrupt", &Faults::corrupt},   {"reorder", &Faults::reorder},
    {"short", &Faults::short_batch}, {"fail", &Faults::fail},
    {"spurious", &Faults::spurious}};
constexpr std::pair<std::string_view, std::chrono::nanoseconds Faults::*> durations[] = {
    {"delay", &Faults::delay}, {"late", &Faults::late}};
constexpr std::pair<std::string_view, std::uint64_t FaultCounts::*> counted[] = {
    {"dropped", &FaultCounts::dropped},     {"duplicated", &FaultCounts::duplicated},
    {"corrupted", &FaultCounts::corrupted}, {"reordered", &FaultCounts::reordered},
    {"delayed", &FaultCounts::delayed},     {"short batches", &FaultCounts::short_batches},
    {"failed syncs", &FaultCounts::failed}, {"spurious wake-ups", &FaultCounts::spurious},
    {"late wake-ups", &FaultCounts::late}};

using Parsed = std::expected<void, std::string>;

/// A whole number or a fraction, and nothing behind it.
template <class Number>
Parsed parse_number(std::string_view key, std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (error == std::errc() && end == text.data() + text.size()) return {};
  return std::unexpected(fmt::format("'{}' is no number for {}", text, key));
}

Parsed parse_probability(std::string_view key, std::string_view text, double& into) {
  auto parsed = parse_number(key, text, into);
  if (!parsed || (into >= 0 && into <= 1)) return parsed;
  return std::unexpected(fmt::format("{}={} is not between 0 and 1", key, text));
}

Parsed parse_fault(std::string_view key, std::string_view value, Faults& faults) {
  for (const auto& [name, member] : probabilities) {
    if (name == key) return parse_probability(key, value, faults.*member);
  }
  for (const auto& [name, member] : durations) {
    if (name != key) continue;
    const auto parsed = parse_duration(value);
    if (!parsed) return std::unexpected(parsed.error());
    faults.*member = *parsed;
    return {};
  }
  if (key == "seed") return parse_number(key, value, faults.seed);
  return std::unexpected(
      fmt::format("there is no fault '{}', but drop, duplicate, corrupt, reorder, short, fail and "
                  "spurious=0…1, delay and late=TIME, seed=N",
                  key));
}

}  // namespace

std::expected<Faults, std::string> parse_faults(const std::string& text) {
  Faults faults;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const auto equals = std::min(one.find('='), one.size());
    const auto value = one.substr(std::min(one.size(), equals + 1));
    if (auto parsed = parse_fault(one.substr(0, equals), value, faults); !parsed) {
      return std::unexpected(parsed.error());
    }
  }
  return faults;
}

void add_fault_option(CLI::App& app, std::optional<Faults>& faults) {
  add_parsed_option(app, "--fault", faults, parse_faults,
                    "What goes wrong on purpose: drop=0.01,delay=1ms,…")
      ->type_name("FAULTS")
      ->group(device_group);
}

std::string to_text(const FaultCounts& counts) {
  std::vector<std::string> parts;
  for (const auto& [name, member] : counted) {
    if (counts.*member != 0) parts.push_back(fmt::format("{} {}", counts.*member, name));
  }
  return parts.empty() ? "faults: none" : fmt::format("faults: {}", fmt::join(parts, ", "));
}

void say_faults(const std::optional<Faults>& asked, std::span<const netmap::Port> ports) {
  if (!asked) return;
  FaultCounts sum;
  for (const netmap::Port& port : ports) {
    const FaultCounts one = port.stats().faults;
    for (const auto& [name, member] : counted) sum.*member += one.*member;
  }
  tell("{}: {}\n", ports.front().info().name, to_text(sum));
}

}  // namespace nmx
