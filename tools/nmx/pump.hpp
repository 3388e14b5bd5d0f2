// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "stop.hpp"
#include "traffic.hpp"

#include <netmap/error.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>

namespace nmx {

/// How long to look again before sleeping, so that a sender need not wake us.
inline constexpr std::chrono::nanoseconds default_spin = std::chrono::microseconds(50);

/// Calls round(), which moves what there is and yields how many packets that were, until stopped.
/// While nothing moves it calls wait(timeout), which syncs and yields false if nothing can come any
/// more: without a timeout as long as `spin` lasts, then to sleep.
template <class Round, class Wait>
netmap::Result<> pump(Counters& counters, Round round, Wait wait, std::chrono::nanoseconds spin) {
  constexpr int enough = 32;  // looks: where each is a system call, 50us may be two
  std::optional<Clock::time_point> idle_since;
  int looks = 0;
  while (!stop_requested()) {
    const netmap::Result<std::uint64_t> moved = round();
    if (!moved) return std::unexpected(moved.error());
    if (*moved != 0) {
      if (!counters.has_moved()) counters.set_first(Clock::now());
      counters.set_moved();
      idle_since.reset();
      looks = 0;
      continue;
    }
    const auto now = Clock::now();
    const auto since = idle_since.value_or(now);
    idle_since = since;
    const bool spins = spin.count() != 0 && (looks < enough || now - since < spin);
    if (spins && looks++ != 0) std::this_thread::yield();  // perhaps to the sender
    const netmap::Result<bool> goes_on = wait(spins ? std::chrono::nanoseconds(0) : slice);
    if (!goes_on) return std::unexpected(goes_on.error());
    if (!*goes_on) break;
  }
  if (counters.has_moved()) counters.set_last(idle_since.value_or(Clock::now()));
  return {};
}

}  // namespace nmx
