// SPDX-License-Identifier: BSD-2-Clause
#include "ponger.hpp"

#include "frame.hpp"
#include "stop.hpp"

namespace nmx {

using netmap::Direction;
using netmap::Directions;
using netmap::Packet;
using netmap::Result;
using netmap::RxRing;
using netmap::TxRing;
using namespace std::chrono_literals;

namespace {

bool is_ping(const Packet& packet, const TxRing& tx) {
  return is_udp(packet.front()) && packet.fragments().size() < tx.num_slots();
}

}  // namespace

Result<> Ponger::run(Counters& counters) {
  while (!stop_requested() && left_ != 0) {
    if (auto waited = wait(); !waited) return waited;
    if (auto answered = answer(counters); !answered) return answered;
  }
  const auto left = port_->drain(1s);
  if (!left) return std::unexpected(left.error());
  return port_->sync_rx();
}

Result<> Ponger::answer(Counters& counters) {
  const std::uint64_t before = left_;
  for (std::size_t i = 0; i < port_->rx_rings().size(); ++i) {
    if (auto done = answer(port_->rx_rings()[i], opposite(i), counters); !done) return done;
  }
  if (left_ == before) return {};
  auto synced = port_->sync_tx();
  const auto now = Clock::now();
  if (!counters.has_moved()) counters.set_first(now);
  counters.set_moved();
  counters.set_last(now);
  return synced;
}

/// All of a ring's pings, as far as there is room.
Result<> Ponger::answer(RxRing& rx, TxRing& tx, Counters& counters) {
  for (;;) {
    const std::size_t dropped = drop_others(rx, tx);
    const std::size_t pings = turn_round_pings(rx, tx);
    if (dropped + pings == 0) return {};
    if (pings == 0) continue;
    const auto sent = netmap::forward(rx, tx, pings);
    if (!sent) return std::unexpected(sent.error());
    counters.add(sent->packets, sent->bytes);
    left_ -= sent->packets;
  }
}

/// Those at the head of the ring that forward() will move.
std::size_t Ponger::turn_round_pings(const RxRing& rx, const TxRing& tx) const {
  std::size_t pings = 0;
  for (const Packet& packet : rx.packets(tx.slots().size())) {
    if (pings == left_ || !is_ping(packet, tx)) break;
    turn_round(packet.front(), own_);
    ++pings;
  }
  return pings;
}

/// Yields how many were at the head of the ring.
std::size_t Ponger::drop_others(RxRing& rx, const TxRing& tx) {
  const auto waiting = rx.packets();
  std::size_t dropped = 0;
  auto packet = waiting.begin();
  for (; packet != waiting.end() && !is_ping(*packet, tx); ++packet) ++dropped;
  if (dropped != 0) (void)rx.release(packet);
  ignored_.store(ignored_.load(std::memory_order_relaxed) + dropped, std::memory_order_relaxed);
  return dropped;
}

/// For more than is here already; where a ping is left, for room for it.
Result<> Ponger::wait() {
  Directions wanted = Direction::rx;
  for (TxRing& tx : port_->tx_rings()) tx.want_none();
  for (std::size_t i = 0; i < port_->rx_rings().size(); ++i) {
    RxRing& rx = port_->rx_rings()[i];
    if (rx.slots().empty()) continue;
    if (auto seen = rx.seen(rx.slots().end()); !seen) return seen;
    const auto pings = rx.packets();
    if (pings.empty()) continue;
    const auto slots = (*pings.begin()).fragments().size();
    if (auto asked = opposite(i).want(static_cast<std::uint32_t>(slots)); !asked) return asked;
    wanted |= Direction::tx;
  }
  const auto waited = port_->wait(wanted, slice);
  if (!waited) return std::unexpected(waited.error());
  return {};
}

TxRing& Ponger::opposite(std::size_t rx_ring) {
  const auto rings = port_->tx_rings();
  return rings[rx_ring % rings.size()];
}

}  // namespace nmx
