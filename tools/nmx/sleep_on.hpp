// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/netmap.hpp>

#include <span>

namespace nmx {

/// A port, and what of it is to end the sleep.
struct Wanted {
  netmap::Port* port;
  netmap::Directions directions;
};

/// Port::wait() for several ports at once: sleeps until one of them is ready, for at most a slice.
/// Sync the ports afterwards. That a capture has been read to its end is no failure.
[[nodiscard]] netmap::Result<> sleep_on(std::span<const Wanted> wanted);

}  // namespace nmx
