// SPDX-License-Identifier: BSD-2-Clause
#include "line.hpp"

#include <algorithm>

namespace nmx {
namespace {

Clock::time_point due_of(const PacketFifo& packets) {
  return packets.empty() ? Clock::time_point::max() : packets.front().due;
}

}  // namespace

netmap::Result<Fate> Line::take(const netmap::Packet& packet, Clock::time_point now) {
  const std::size_t bytes = packet.size();
  const auto [fate, due] = schedule_.next(bytes, now);
  if (fate == Fate::queue_is_full || fate == Fate::is_lost) return fate;
  const std::size_t memory = straight_.footprint() + held_back_.footprint();
  if (memory + PacketFifo::footprint(bytes) > hold_) return Fate::memory_is_full;
  PacketFifo& into = fate == Fate::is_held_back ? held_back_ : straight_;
  const auto copied = packet.copy_to(into.room(bytes));
  if (!copied) return std::unexpected(copied.error());
  into.push(due, *copied);
  return fate;
}

Clock::time_point Line::due() const {
  return std::min(due_of(straight_), due_of(held_back_));
}

PacketFifo& Line::next() {
  return due_of(held_back_) < due_of(straight_) ? held_back_ : straight_;
}

}  // namespace nmx
