// SPDX-License-Identifier: BSD-2-Clause
//
// The other side of one ring: what the program owns of it, and what it has handed over since the
// last sync.
#pragma once

#include <netmap/slot.hpp>

#include "device/slot_range.hpp"
#include "port/layout.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace netmap {

class OwnRing {
 public:
  explicit OwnRing(const RingPlace& at) noexcept
      : ring_(at.ring), bounds_(at.bounds), tail_(detail::load(at.ring->tail)) {}

  /// From here on takes head and cur from `user` and tells it the tail, instead of the ring itself.
  /// The ledger is then another thread's.
  void serve(abi::netmap_ring& user) noexcept {
    ring_ = &user;
    serves_ = true;
  }
  /// Goes on where another user of the ring has stopped: the program's slots are now these.
  void resume(std::uint32_t first, std::uint32_t tail) noexcept {
    first_ = first < size() ? first : 0;
    tail_ = tail < size() ? tail : first_;
  }
  /// Where the program's slots begin now. Nothing if it moved head or cur out of its slots; both
  /// are put back then, as the module does it.
  [[nodiscard]] std::optional<std::uint32_t> head() noexcept;
  /// The slots that the next head() will find handed over; none if it will find that it moved them
  /// wrong.
  [[nodiscard]] SlotRange handed_over() const noexcept;
  /// Puts head and cur back to first(), and tail to where it was.
  void reset() noexcept;
  /// Counts the slots up to `end` as handed over; the program's begin there.
  void pass(std::uint32_t end) noexcept;
  /// Ends the program's slots.
  void set_tail(std::uint32_t tail) noexcept {
    tail_ = tail;
    detail::store(ring_->tail, tail);
  }

  /// The slots that the program owned at the last pass().
  [[nodiscard]] std::uint32_t first() const noexcept { return first_; }
  [[nodiscard]] std::uint32_t tail() const noexcept { return tail_; }
  /// Whether the program has seen or released all its slots.
  [[nodiscard]] bool is_seen() const noexcept { return detail::load(ring_->cur) == tail_; }
  /// The slots that the program does not own, less the one that no ring fills.
  [[nodiscard]] std::uint32_t room() const noexcept { return size() - 1 - distance(first_, tail_); }

  [[nodiscard]] std::uint32_t size() const noexcept { return bounds_.slots.size(); }
  [[nodiscard]] std::uint32_t buffer_size() const noexcept { return bounds_.buffers.capacity(); }
  [[nodiscard]] std::uint32_t next(std::uint32_t slot) const noexcept {
    return slot + 1 == size() ? 0 : slot + 1;
  }
  /// The slot `by` places on; at most once around.
  [[nodiscard]] std::uint32_t advance(std::uint32_t slot, std::uint32_t by) const noexcept {
    return by < size() - slot ? slot + by : slot + by - size();
  }
  [[nodiscard]] std::uint32_t previous(std::uint32_t slot) const noexcept {
    return (slot == 0 ? size() : slot) - 1;
  }
  [[nodiscard]] std::uint32_t distance(std::uint32_t from, std::uint32_t to) const noexcept {
    return to >= from ? to - from : to + size() - from;
  }
  [[nodiscard]] abi::netmap_slot& slot(std::uint32_t index) const noexcept {
    return bounds_.slots.first[index];
  }
  /// All of a buffer; empty if there is none with that index.
  [[nodiscard]] std::span<std::byte> buffer(std::uint32_t index) const noexcept {
    return bounds_.buffers.buffer(index);
  }
  /// What the slot holds; nothing if it names no buffer that can hold that.
  [[nodiscard]] std::optional<std::span<std::byte>> bytes(detail::SlotWord slot) const noexcept {
    if (!bounds_.buffers.has(slot.index) || slot.length > buffer_size()) return {};
    return bounds_.buffers.buffer(slot.index).first(slot.length);
  }
  /// Puts what was received into slot `index`. Yields false, and leaves nothing in it, if the slot
  /// names no buffer that can hold that.
  [[nodiscard]] bool write(std::uint32_t index, std::span<const std::byte> packet,
                           std::uint16_t flags) noexcept;
  [[nodiscard]] abi::netmap_ring& raw() const noexcept { return *ring_; }
  [[nodiscard]] detail::Ledger& ledger() noexcept { return ledger_; }
  /// What pass() counts.
  [[nodiscard]] RingStats& counted() noexcept { return serves_ ? served_ : ledger_.stats; }

 private:
  /// Whether the program has moved head to there, and cur, within its slots.
  [[nodiscard]] bool is_kept(std::uint32_t head) const noexcept {
    const std::uint32_t cur = detail::load(ring_->cur);
    return head < size() && cur < size() && distance(first_, head) <= distance(first_, tail_) &&
           distance(head, cur) <= distance(head, tail_);
  }

  abi::netmap_ring* ring_;  ///< whose head, cur and tail count
  detail::Bounds bounds_;
  std::uint32_t first_ = 0;
  std::uint32_t tail_;
  bool serves_ = false;
  RingStats served_;
  detail::Ledger ledger_;
};

}  // namespace netmap
