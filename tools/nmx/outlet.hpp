// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "overflow.hpp"

#include <netmap/netmap.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nmx {

/// A pipe that packets are sent into. Between look() and commit() it knows how many slots are free
/// without asking the ring; only it moves the ring.
class Outlet {
 public:
  /// `is_followed`: whether packets are wanted back once they have been read.
  Outlet(netmap::Port port, bool is_followed);

  [[nodiscard]] netmap::Port& port() { return port_; }
  [[nodiscard]] const netmap::PortInfo& info() const { return port_.info(); }
  [[nodiscard]] const netmap::TxRing& ring() const { return *ring_; }

  /// Sees what is free.
  void look();
  [[nodiscard]] std::size_t room() const { return room_; }
  /// Whether the ring can hold so many slots at all.
  [[nodiscard]] bool can_hold(std::size_t slots) const { return slots < ring_->num_slots(); }

  // Each sends one slot, and fails with what Slot::swap() does. Precondition: room() > 0.

  /// Exchanges buffers.
  [[gnu::always_inline]] netmap::Result<> take(netmap::RxSlot& slot, const Piece& piece) {
    netmap::TxSlot free = *next_;
    auto swapped = netmap::swap(slot, free);
    if (swapped) pass(free, piece);
    return swapped;
  }
  /// Copies.
  netmap::Result<> copy(const netmap::RxSlot& slot, const Piece& piece);
  /// Exchanges buffers with one that holds the slot's bytes.
  netmap::Result<> take(netmap::Buffer& buffer, const Piece& piece);

  /// Hands over what was taken, for the next sync.
  netmap::Result<> commit();
  /// Whether the sync that is to come now has something to send, or should see what came back.
  [[nodiscard]] bool needs_sync();

  /// Calls use(first slot, pieces, is_here) for every packet that was read since the last call;
  /// is_here: whether its bytes are in its slots still, and the reader did not keep a buffer. The
  /// slots are free afterwards. Before look(), and only if it is followed.
  template <class Use>
  netmap::Result<> for_each_returned(Use use) {
    const netmap::TxSlots slots = ring_->returned(unseen_);
    auto first = slots.begin();
    while (const std::size_t length = packet_at(first, slots.end())) {
      const bool is_here = collect(first, length);
      if (!pieces_.empty()) {
        if (auto used = use(first, std::span<const Piece>(pieces_), is_here); !used) return used;
      }
      first += static_cast<std::ptrdiff_t>(length);
    }
    unseen_ = first;
    return {};
  }

  /// Whether for_each_returned() has something to use.
  [[nodiscard]] bool has_returned();

  /// Asks to be woken when something more can be done: when there is room for `slots`, or, if it is
  /// followed, anything comes back. Yields false if there is nothing to be woken for.
  netmap::Result<bool> ask(std::size_t slots);

  void count_forwarded(std::uint64_t packets) { raise(forwarded_, packets); }
  void count_dropped() { raise(dropped_, 1); }
  void see_queued(std::uint64_t packets) { queued_.store(packets, relaxed); }
  [[nodiscard]] std::uint64_t forwarded() const { return forwarded_.load(relaxed); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(relaxed); }
  [[nodiscard]] std::uint64_t queued() const { return queued_.load(relaxed); }

 private:
  /// What lies in a slot that is with the reader.
  struct Sent {
    Piece piece;
    std::uint32_t buffer = 0;
    bool is_out = false;
  };

  static constexpr auto relaxed = std::memory_order_relaxed;
  static void raise(std::atomic<std::uint64_t>& counter, std::uint64_t by) {
    counter.store(counter.load(relaxed) + by, relaxed);
  }
  /// The slot is filled: on to the next.
  void pass(const netmap::TxSlot& slot, const Piece& piece) {
    if (!sent_.empty()) {
      sent(slot) = {piece, slot.buffer_index(), true};
    }
    ++next_;
    --room_;
    has_filled_ = true;
  }
  [[nodiscard]] Sent& sent(const netmap::TxSlot& slot) { return sent_[slot.position().index()]; }
  /// Slots of the packet that begins at `first`; 0 if not all of it has come back.
  [[nodiscard]] std::size_t packet_at(const netmap::TxSlots::iterator& first,
                                      const netmap::TxSlots::iterator& end);
  /// Its pieces_, none of a slot that an earlier user of the pipe sent; yields whether it is here.
  bool collect(netmap::TxSlots::iterator first, std::size_t length);

  netmap::Port port_;
  netmap::TxRing* ring_;
  netmap::TxSlots::iterator next_;
  std::size_t room_ = 0;
  bool has_filled_ = false;     ///< since the last commit
  bool has_unsent_ = false;     ///< since the last sync
  std::vector<Sent> sent_;      ///< by slot; empty if not followed
  netmap::Position unseen_{0};  ///< from here on, what came back is news
  std::vector<Piece> pieces_;
  std::atomic<std::uint64_t> forwarded_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<std::uint64_t> queued_ = 0;
};

}  // namespace nmx
