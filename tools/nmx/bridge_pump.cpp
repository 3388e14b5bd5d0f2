// SPDX-License-Identifier: BSD-2-Clause
#include "bridge_pump.hpp"

#include "ports.hpp"
#include "pump.hpp"
#include "way.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

BridgePump::BridgePump(Port& a, Port& b, std::uint32_t batch) : ports_{&a, &b}, batch_(batch) {}

bool BridgePump::is_zero_copy() const {
  const Way way = is_open(0) ? 0 : 1;
  return ports_[way]->rx_rings().front().same_region(ports_[1 - way]->tx_rings().front());
}

Result<> BridgePump::run(Counters& counters) {
  auto done = pump(
      counters, [&] { return round(counters); }, [&](auto timeout) { return wait(timeout); },
      default_spin);
  if (!done) {
    for (Port* port : each_port()) (void)port->sync_tx();  // what was moved before that
    return done;
  }
  for (const Way way : {0U, 1U}) {
    if (auto looked = look(way); !looked) return looked;
  }
  return drain();
}

/// Moves what there is each way. The wait sends it and gives back the slots it lay in.
Result<std::uint64_t> BridgePump::round(Counters& counters) {
  const auto there = move(0, counters);
  if (!there) return there;
  const auto back = move(1, counters);
  if (!back) return back;
  return *there + *back;
}

Result<std::uint64_t> BridgePump::move(Way way, Counters& counters) {
  Port& from = *ports_[way];
  if (!is_open(way)) return 0;
  std::uint64_t packets = 0;
  for (std::size_t i = 0; i < from.rx_rings().size(); ++i) {
    RxRing& rx = from.rx_rings()[i];
    TxRing& tx = target(*ports_[1 - way], i);
    counters.see_free_slots(tx.slots().size());
    const auto moved = netmap::forward(rx, tx, batch_);
    if (!moved) {
      return std::unexpected(
          Error(moved.error().code(),
                fmt::format("cannot forward from '{}' to '{}': {}", from.info().name,
                            ports_[1 - way]->info().name, moved.error().message())));
    }
    if (moved->packets == 0) continue;
    has_unsent_[1 - way] = true;
    counters.add(moved->packets, moved->bytes);
    packets += moved->packets;
  }
  moved_[way] += packets;
  return packets;
}

Result<> BridgePump::look(Way way) {
  if (!is_open(way)) return {};
  const auto synced = ports_[way]->sync_rx();
  has_ended_[way] = !synced && is_end(synced.error());
  if (!synced && !has_ended_[way]) return synced;
  return {};
}

Result<bool> BridgePump::wait(std::chrono::nanoseconds timeout) {
  if (!has_a_way()) return false;
  std::array<Directions, 2> wanted;
  for (const Way way : {0U, 1U}) {
    if (!is_open(way)) continue;
    const auto wants = ask(*ports_[way], *ports_[1 - way]);
    if (!wants) return std::unexpected(wants.error());
    wanted[way] |= wants->from;
    wanted[1 - way] |= wants->to;
  }
  for (const std::size_t port : {0U, 1U}) {
    if (std::exchange(has_unsent_[port], false)) wanted[port] |= Direction::tx;
  }
  const std::array both{Wanted{ports_[0], wanted[0]}, Wanted{ports_[1], wanted[1]}};
  const auto waited = netmap::wait_any(both, timeout);
  if (waited) return true;
  if (!is_end(waited.error())) return waited;
  // The end of one port came before the sync of the other.
  for (Port* port : each_port()) {
    if (auto sent = port->sync_tx(); !sent) return std::unexpected(sent.error());
  }
  for (const Way way : {0U, 1U}) {
    if (auto looked = look(way); !looked) return std::unexpected(looked.error());
  }
  return true;
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
