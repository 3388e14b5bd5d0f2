// SPDX-License-Identifier: BSD-2-Clause
//
// From the rx rings of one port to the tx rings of another.
#pragma once

#include <netmap/netmap.hpp>

#include <cstddef>

namespace nmx {

/// The ring that takes the packets of rx ring `ring`.
[[nodiscard]] netmap::TxRing& target(netmap::Port& to, std::size_t ring);

struct WayWants {
  netmap::Directions from;
  netmap::Directions to;
};

/// What forwarding needs to go on, to be waited for: of rings without a packet one, of their
/// targets else room for it. Waiting for both would never sleep, because one of them is there. If
/// nothing is to come from `from`, it is synced here and now, to have its slots back. Fails as that
/// does, and with packet_too_large if a target can never take what is to come next.
[[nodiscard]] netmap::Result<WayWants> ask(netmap::Port& from, netmap::Port& to);

}  // namespace nmx
