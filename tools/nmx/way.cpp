// SPDX-License-Identifier: BSD-2-Clause
#include "way.hpp"

#include "packets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace nmx {

using netmap::Direction;
using netmap::Port;
using netmap::Result;
using netmap::RxRing;
using netmap::TxRing;

namespace {

/// How many slots of the target a packet takes.
std::uint32_t slots_of(const netmap::Packet& packet, const RxRing& from, const TxRing& to) {
  if (from.same_region(to)) return static_cast<std::uint32_t>(packet.fragments().size());
  return slots_for(static_cast<std::uint32_t>(packet.size()), 1, to.buffer_size());
}

}  // namespace

TxRing& target(Port& to, std::size_t ring) {
  return to.tx_rings()[ring % to.tx_rings().size()];
}

Result<WayWants> ask(Port& from, Port& to) {
  WayWants wants;
  std::vector<std::uint32_t> room;  // of each target, for the smallest of those that come next
  for (std::size_t i = 0; i != from.rx_rings().size(); ++i) {
    RxRing& rx = from.rx_rings()[i];
    const auto packets = rx.packets();
    // What is here already must not wake us.
    if (auto seen = rx.seen(rx.slots().end()); !seen) return std::unexpected(seen.error());
    if (packets.empty()) {
      wants.from |= Direction::rx;
      continue;
    }
    wants.to |= Direction::tx;
    room.resize(to.tx_rings().size(), UINT32_MAX);
    std::uint32_t& least = room[i % room.size()];
    least = std::min(least, slots_of(*packets.begin(), rx, target(to, i)));
  }
  if (wants.from.empty()) {  // else the wait gives back what was released
    if (auto synced = from.sync_rx(); !synced) return std::unexpected(synced.error());
  }
  for (std::size_t n = 0; n != to.tx_rings().size(); ++n) {
    TxRing& tx = to.tx_rings()[n];
    if (room.empty() || room[n] == UINT32_MAX) {
      tx.want_none();
    } else if (!tx.want(room[n])) {
      return std::unexpected(netmap::Error(
          netmap::errc::packet_too_large,
          fmt::format("a packet of {} slots came from '{}', but the rings of '{}' have {}", room[n],
                      from.info().name, to.info().name, tx.num_slots())));
    }
  }
  // What is held back for a time goes out while that is waited for, even if no room is needed.
  // Where polling is a sync, nothing is held, and each slot that comes back would wake us.
  if (!to.wait_handle(Direction::tx).syncs) wants.to |= Direction::tx;
  return wants;
}

}  // namespace nmx
