// SPDX-License-Identifier: BSD-2-Clause
//
// What was done so far, and how much of it is wanted.
#pragma once

#include "soak/accounts.hpp"
#include "soak/stage.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string_view>

namespace netmap::soak {

struct Goals {
  double minutes = 0;
  std::uint64_t kills = 0;  ///< at instants
  std::uint64_t packets = 0;
  std::uint64_t at_each_point = 1;
};

struct Tally {
  std::array<std::uint64_t, phases.size()> kills{};  ///< at instants, by phase
  std::map<std::string_view, std::uint64_t> at_points{};
  std::uint64_t early = 0;  ///< of all kills, those before anything had come home
  std::uint64_t stops = 0;
  std::uint64_t ended = 0;   ///< forwarders that ended of themselves
  std::uint64_t missed = 0;  ///< of these, those that were to be killed
  std::uint64_t others = 0;  ///< kills of processes beside
  std::uint64_t rests = 0;

  [[nodiscard]] std::uint64_t kills_at_instants() const { return kills[0] + kills[1] + kills[2]; }
  [[nodiscard]] std::uint64_t kills_at_points() const {
    std::uint64_t sum = 0;
    for (const auto& [point, count] : at_points) sum += count;
    return sum;
  }
  [[nodiscard]] std::uint64_t fewest_at_a_point() const {
    const auto by_count = [](const auto& a, const auto& b) { return a.second < b.second; };
    return std::ranges::min_element(at_points, by_count)->second;
  }
  [[nodiscard]] bool has(const Goals& goals) const {
    return kills_at_instants() >= goals.kills && fewest_at_a_point() >= goals.at_each_point;
  }
};

void print_line(const Tally& tally, const Figures& figures, const Stage& stage,
                std::chrono::seconds since);
void print_table(const Tally& tally, const Figures& figures, const Stage& stage,
                 std::chrono::seconds since);

}  // namespace netmap::soak
