// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "stop.hpp"

#include <netmap/netmap.hpp>

#include <chrono>
#include <span>

namespace nmx {

/// A port, and what of it is to end the sleep.
struct Wanted {
  netmap::Port* port;
  netmap::Directions directions;
};

/// Port::wait() for several ports at once, without its syncs: sleeps until one of them is ready,
/// for at most so long. Sync the ports afterwards. That a capture has been read to its end is no
/// failure.
[[nodiscard]] netmap::Result<> sleep_on(std::span<const Wanted> wanted,
                                        std::chrono::nanoseconds timeout = slice);

}  // namespace nmx
