// SPDX-License-Identifier: BSD-2-Clause
#include "bridge_pump.hpp"

#include "packets.hpp"
#include "ports.hpp"
#include "pump.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nmx {

using netmap::Direction;
using netmap::Directions;
using netmap::Error;
using netmap::Port;
using netmap::Result;
using netmap::RxRing;
using netmap::TxRing;
using netmap::Wanted;
using namespace std::chrono_literals;

BridgePump::BridgePump(Port& a, Port& b, std::uint32_t batch)
    : ports_{&a, &b}, batch_(batch), spin_(std::max(default_spin(a), default_spin(b))) {}

bool BridgePump::is_zero_copy() const {
  const Way way = is_open(0) ? 0 : 1;
  return ports_[way]->rx_rings().front().same_region(ports_[1 - way]->tx_rings().front());
}

Result<> BridgePump::run(Counters& counters) {
  auto done = pump(counters, [&] { return round(counters); }, [&] { return wait(); }, spin_);
  if (!done) return done;
  return drain();
}

/// Moves what there is each way and sends it. Gives the slots it lay in back and sees what comes
/// next, unless the wait, which does so too, follows at once.
Result<std::uint64_t> BridgePump::round(Counters& counters) {
  const auto there = move(0, counters);
  if (!there) return there;
  const auto back = move(1, counters);
  if (!back) return back;
  if (auto sent = send(); !sent) return std::unexpected(sent.error());
  if (spin_ != 0ns) {
    if (auto looked = look(); !looked) return std::unexpected(looked.error());
  }
  return *there + *back;
}

Result<std::uint64_t> BridgePump::move(Way way, Counters& counters) {
  Port& from = *ports_[way];
  if (!is_open(way)) return 0;
  std::uint64_t packets = 0;
  for (std::size_t i = 0; i < from.rx_rings().size(); ++i) {
    RxRing& rx = from.rx_rings()[i];
    TxRing& tx = target(way, i);
    counters.see_free_slots(tx.slots().size());
    const auto moved = netmap::forward(rx, tx, batch_);
    if (!moved) {
      return std::unexpected(
          Error(moved.error().code(),
                fmt::format("cannot forward from '{}' to '{}': {}", from.info().name,
                            ports_[1 - way]->info().name, moved.error().message())));
    }
    if (moved->packets == 0) continue;
    counters.add(moved->packets, moved->bytes);
    packets += moved->packets;
  }
  moved_[way] += packets;
  return packets;
}

Result<> BridgePump::send() {
  for (Port* port : each_port()) {
    const bool has_sent =
        std::ranges::any_of(port->tx_rings(), [](const TxRing& tx) { return tx.pending() != 0; });
    if (!has_sent && spin_ == 0ns) continue;  // each sync is a system call
    if (auto synced = port->sync_tx(); !synced) return synced;
  }
  return {};
}

Result<> BridgePump::look() {
  for (const Way way : {0U, 1U}) {
    if (!is_open(way)) continue;
    const auto synced = ports_[way]->sync_rx();
    has_ended_[way] = !synced && is_end(synced.error());
    if (!synced && !has_ended_[way]) return synced;
  }
  return {};
}

TxRing& BridgePump::target(Way way, std::size_t ring) {
  const auto rings = ports_[1 - way]->tx_rings();
  return rings[ring % rings.size()];
}

/// Yields false if nothing can come any more.
Result<bool> BridgePump::wait() {
  if (!has_a_way()) return false;
  std::array<Directions, 2> wanted;
  for (const Way way : {0U, 1U}) {
    if (auto asked = ask(way, wanted); !asked) return std::unexpected(asked.error());
  }
  const std::array both{Wanted{ports_[0], wanted[0]}, Wanted{ports_[1], wanted[1]}};
  const auto waited = netmap::wait_any(both, slice);
  if (!waited && !is_end(waited.error())) return waited;
  return true;
}

/// What this way needs to go on: packets where there are none, room where there are some. Waiting
/// for both would never sleep, because one of them is there.
Result<> BridgePump::ask(Way way, std::array<Directions, 2>& wanted) {
  if (!is_open(way)) return {};
  const auto rx_rings = ports_[way]->rx_rings();
  for (std::size_t i = 0; i < rx_rings.size(); ++i) {
    RxRing& rx = rx_rings[i];
    const auto packets = rx.packets();
    // What is here already must not wake us.
    if (auto seen = rx.seen(rx.slots().end()); !seen) return seen;
    if (packets.empty()) {
      wanted[way] |= Direction::rx;
      continue;
    }
    TxRing& tx = target(way, i);
    const netmap::Packet packet = *packets.begin();
    const auto fragments = static_cast<std::uint32_t>(packet.fragments().size());
    const auto bytes = static_cast<std::uint32_t>(packet.size());
    const bool is_swapped = rx.same_region(tx);
    const std::uint32_t needed = is_swapped ? fragments : slots_for(bytes, 1, tx.buffer_size());
    if (!tx.want(needed)) {
      return std::unexpected(Error(
          netmap::errc::packet_too_large,
          fmt::format("a packet of {} slots came from '{}', but the rings of '{}' have {}", needed,
                      ports_[way]->info().name, ports_[1 - way]->info().name, tx.num_slots())));
    }
    wanted[1 - way] |= Direction::tx;
  }
  return {};
}

Result<> BridgePump::drain() {
  const auto end = Clock::now() + 1s;
  for (Port* port : each_port()) {
    const auto left = port->drain(std::max(Clock::duration::zero(), end - Clock::now()));
    if (!left) return std::unexpected(left.error());
    left_ += *left;
  }
  return {};
}

}  // namespace nmx
