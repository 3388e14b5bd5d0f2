// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "stop.hpp"
#include "traffic.hpp"

#include <netmap/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace nmx {

/// How long to look again before sleeping, so that a sender need not wake us.
inline constexpr std::chrono::nanoseconds default_spin = std::chrono::microseconds(50);

/// Until stopped, calls round(), which moves what there is and yields how many packets that were,
/// and wait(timeout), which syncs and yields false if nothing can come any more. The timeout is 0
/// while something moves and as long as `spin` after that, then the wait sleeps. If spin is 0, it
/// may always.
template <class Round, class Wait>
netmap::Result<> pump(Counters& counters, Round round, Wait wait, std::chrono::nanoseconds spin) {
  using namespace std::chrono_literals;
  constexpr int enough = 32;  // looks: where each is a system call, the time may be one or two
  std::optional<Clock::time_point> idle_since;
  int looks = 0;
  while (!stop_requested()) {
    const netmap::Result<std::uint64_t> moved = round();
    if (!moved) return std::unexpected(moved.error());
    bool spins = spin != 0ns;
    if (*moved != 0) {
      if (!counters.has_moved()) counters.set_first(Clock::now());
      counters.set_moved();
      idle_since.reset();
      looks = 0;
    } else {
      const auto now = Clock::now();
      if (!idle_since) idle_since = now;
      spins = spins && (looks < enough || now - *idle_since < spin);
      looks = std::min(looks + 1, enough);
    }
    const netmap::Result<bool> goes_on = wait(spins ? 0ns : slice);
    if (!goes_on) return std::unexpected(goes_on.error());
    if (!*goes_on) break;
  }
  if (counters.has_moved()) counters.set_last(idle_since.value_or(Clock::now()));
  return {};
}

}  // namespace nmx
