// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/taps.hpp"

#include "device/embedded/delivery.hpp"
#include "device/embedded/monitors.hpp"
#include "device/embedded/resolve.hpp"

#include <algorithm>
#include <utility>

namespace netmap::embedded {

using detail::load;

Taps::Taps(std::shared_ptr<Domain> domain, std::shared_ptr<Memory> memory, std::uint32_t endpoint)
    : domain_(std::move(domain)),
      memory_(std::move(memory)),
      record_(&domain_->state().endpoints[endpoint]),
      owner_(owner::of(endpoint, record_->epoch)),
      changes_(domain_->state().switches[monitors].changes - 1) {
  const auto list = [this](std::vector<Ring>& rings, RingRange range, bool is_tx) {
    for (std::uint32_t k = range.first; k < std::min(range.end(), max_rings); ++k) {
      const std::uint32_t object = ring_object(domain_->state(), *record_, is_tx, k);
      rings.push_back({&memory_->ring(object), object, k, 0, {}, {}});
    }
  };
  list(tx_, record_->tx, true);
  list(rx_, record_->rx, false);
}

void Taps::serve(Direction direction, std::size_t n, const abi::netmap_ring& user) noexcept {
  if (Ring* const ring = find(direction, n)) ring->user = &user;
}

bool Taps::before(Direction direction, std::size_t n, const SlotRange& slots,
                  Ringer& ringer) noexcept {
  const Delivery delivery(*record_, ringer);
  refresh();
  Ring* const ring = find(direction, n);
  if (ring == nullptr) return false;
  ring->tail = load(ring->user->tail);
  if (slots.count == 0) return false;
  if (direction == Direction::tx) {
    show(*ring, slots, ringer);
    return false;
  }
  if (ring->taker) ring->taker->exchange(slots, watched(*ring, direction), ringer);
  return ring->taker.has_value();
}

void Taps::after(Direction direction, std::size_t n, Ringer& ringer) noexcept {
  const Delivery delivery(*record_, ringer);
  refresh();
  Ring* const ring = find(direction, n);
  if (ring == nullptr) return;
  const std::uint32_t tail = load(ring->user->tail);
  if (direction == Direction::rx)
    return show(*ring, slots_between(*ring, ring->tail, tail), ringer);
  if (!ring->taker) return;
  const auto freed = slots_between(*ring, next(*ring, ring->tail), next(*ring, tail));
  if (freed.count != 0) ring->taker->exchange(freed, watched(*ring, direction), ringer);
}

void Taps::show(const Ring& ring, const SlotRange& slots, Ringer& ringer) noexcept {
  if (slots.count == 0) return;
  for (const auto& [tap, seen] : ring.copiers) tap.copy(slots, watched(ring, seen), ringer);
}

void Taps::refresh() noexcept {
  const std::uint32_t changes =
      domain_->state().switches[monitors].changes.load(std::memory_order_acquire);
  if (changes == changes_) return;
  for (Ring& ring : tx_) look(ring, Direction::tx);
  for (Ring& ring : rx_) look(ring, Direction::rx);
  changes_ = changes;
}

void Taps::look(Ring& ring, Direction direction) {
  ring.copiers.clear();
  const auto add = [&](const PortId& port, Direction seen) {
    for (Tap& tap : find_copiers(*domain_, port, seen, ring.number)) {
      ring.copiers.push_back({std::move(tap), seen});
    }
  };
  if (direction == Direction::tx) {
    add(*record_, Direction::tx);
    if (record_->pipe != no_pipe) {
      add({.pipe = record_->pipe, .end = other(record_->end)}, Direction::rx);
    }
  } else if (record_->nic != no_nic) {
    add(*record_, Direction::rx);
  }
  ring.taker = find_next_taker(ring.number, direction);
}

/// A monitor that takes buffers passes them on to those that came after it.
std::optional<Tap> Taps::find_next_taker(std::uint32_t ring, Direction direction) const {
  if (record_->vale != monitors) return find_taker(*domain_, *record_, direction, ring, 0);
  const SwitchPort& own = domain_->state().port_of(*record_);
  if (own.takes_buffers == 0) return {};
  return find_taker(*domain_, own.watched, direction, ring, own.turn);
}

Taps::Ring* Taps::find(Direction direction, std::size_t n) noexcept {
  auto& rings = direction == Direction::tx ? tx_ : rx_;
  return n < rings.size() ? &rings[n] : nullptr;
}

std::uint32_t Taps::size_of(const Ring& ring) const noexcept {
  return std::clamp(load(memory_->ring(ring.object).num_slots), 1U,
                    slots_of_ring(memory_->pools()));
}

std::uint32_t Taps::next(const Ring& ring, std::uint32_t slot) const noexcept {
  return slot + 1 < size_of(ring) ? slot + 1 : 0;
}

SlotRange Taps::slots_between(const Ring& ring, std::uint32_t first,
                              std::uint32_t end) const noexcept {
  const std::uint32_t size = size_of(ring);
  return SlotRange::between(abi::slots_of(memory_->ring(ring.object)), size,
                            first < size ? first : 0, end < size ? end : 0);
}

Watched Taps::watched(const Ring& ring, Direction seen) const noexcept {
  return {memory_.get(), load(memory_->words(ring.object).offset_mask), seen, owner_};
}

}  // namespace netmap::embedded
