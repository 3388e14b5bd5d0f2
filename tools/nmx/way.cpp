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

bool has_packets(Port& from) {
  return std::ranges::any_of(from.rx_rings(),
                             [](const RxRing& ring) { return !ring.packets().empty(); });
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
  for (std::size_t n = 0; n != room.size(); ++n) {
    TxRing& tx = to.tx_rings()[n];
    if (room[n] == UINT32_MAX) {
      tx.want_none();
    } else if (!tx.want(room[n])) {
      return std::unexpected(netmap::Error(
          netmap::errc::packet_too_large,
          fmt::format("a packet of {} slots came from '{}', but the rings of '{}' have {}", room[n],
                      from.info().name, to.info().name, tx.num_slots())));
    }
  }
  return wants;
}

}  // namespace nmx
