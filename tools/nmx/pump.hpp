// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "awake.hpp"
#include "stop.hpp"
#include "traffic.hpp"

#include <netmap/error.hpp>

#include <chrono>
#include <cstdint>

namespace nmx {

/// Until stopped, calls round(), which moves what there is and yields how many packets that were,
/// and wait(timeout), which syncs and yields false if nothing can come any more. The timeout is 0
/// while something moves and as long as `spin` after that, then the wait sleeps. If spin is 0, it
/// may always.
template <class Round, class Wait>
netmap::Result<> pump(Counters& counters, Round round, Wait wait, std::chrono::nanoseconds spin) {
  Awake awake(spin);
  while (!stop_requested()) {
    const auto start = counters.has_moved() ? Clock::time_point() : Clock::now();
    const netmap::Result<std::uint64_t> moved = round();
    if (!moved) return std::unexpected(moved.error());
    if (*moved != 0) {
      if (!counters.has_moved()) counters.set_first(start);
      counters.set_moved();
      awake.found_something();
    } else {
      awake.found_nothing();
    }
    const netmap::Result<bool> goes_on = wait(awake.timeout());
    if (!goes_on) return std::unexpected(goes_on.error());
    if (!*goes_on) break;
  }
  if (counters.has_moved()) counters.set_last(awake.idle_since().value_or(Clock::now()));
  return {};
}

}  // namespace nmx
