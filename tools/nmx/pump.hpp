// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "stop.hpp"
#include "traffic.hpp"

#include <netmap/port.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace nmx {

/// How long to look again before sleeping, so that a sender need not wake us. Where polling is a
/// sync, a look costs a system call as the sleep does.
[[nodiscard]] inline std::chrono::nanoseconds default_spin(const netmap::Port& port) {
  return std::chrono::microseconds(port.wait_handle(netmap::Direction::rx).syncs ? 0 : 50);
}

/// Calls round(), which moves what there is and yields how many packets that were, until stopped.
/// While nothing moves it looks again as long as `spin`, and then calls wait(), which sleeps; that
/// yields false if nothing can come any more.
template <class Round, class Wait>
netmap::Result<> pump(Counters& counters, Round round, Wait wait, std::chrono::nanoseconds spin) {
  std::optional<Clock::time_point> idle_since;
  while (!stop_requested()) {
    const netmap::Result<std::uint64_t> moved = round();
    if (!moved) return std::unexpected(moved.error());
    if (*moved != 0) {
      if (!counters.has_moved()) counters.set_first(Clock::now());
      counters.set_moved();
      idle_since.reset();
      continue;
    }
    const auto now = Clock::now();
    const auto since = idle_since.value_or(now);
    idle_since = since;
    if (now - since < spin) continue;
    const netmap::Result<bool> goes_on = wait();
    if (!goes_on) return std::unexpected(goes_on.error());
    if (!*goes_on) break;
  }
  if (counters.has_moved()) counters.set_last(idle_since.value_or(Clock::now()));
  return {};
}

}  // namespace nmx
