// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "stop.hpp"
#include "traffic.hpp"

#include <netmap/port.hpp>

#include <cstddef>

namespace nmx {

/// Syncs until everything that was sent was taken; once must_stop(), for at most a second more.
/// Yields how many slots were not. Calls looked() after each look.
template <class MustStop, class Looked>
netmap::Result<std::size_t> flush(netmap::Port& port, MustStop must_stop, Looked looked) {
  auto end = Clock::time_point::max();
  for (;;) {
    const auto left = port.drain(slice);
    if (!left) return left;
    looked();
    const auto now = Clock::now();
    if (*left == 0 || now >= end) return left;
    if (must_stop() && end == Clock::time_point::max()) {
      end = now + std::chrono::seconds(1) - slice;
    }
  }
}

}  // namespace nmx
