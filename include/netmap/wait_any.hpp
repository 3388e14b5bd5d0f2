// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/port.hpp>

#include <chrono>
#include <span>

namespace netmap {

/// A port, and what of it is waited for; nothing, if that is empty.
struct Wanted {
  Port* port;
  Directions directions;
};

/// Port::wait() for several ports at once: waits until a ring of one of them is ready in one of the
/// directions that are wanted of it, syncing those directions of every port before and after;
/// yields whether one is. Yields false at the timeout, or early after a signal. Does not spin,
/// whatever PortOptions::spin says. Fails with what Port::wait() of one of the ports fails with.
/// Thread: the one that uses all of the ports.
Result<bool> wait_any(std::span<const Wanted> wanted, std::chrono::nanoseconds timeout = forever);

/// The same directions of each port.
Result<bool> wait_any(std::span<Port> ports, Directions wanted,
                      std::chrono::nanoseconds timeout = forever);

}  // namespace netmap
