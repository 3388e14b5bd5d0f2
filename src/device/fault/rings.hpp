// SPDX-License-Identifier: BSD-2-Clause
//
// A ring that the program sees, the device's ring behind it, and the wire between them. The one
// shows as many free or received slots as the other has, less or more what the wire holds.
#pragma once

#include <netmap/port.hpp>

#include "device/fault/wire.hpp"
#include "port/layout.hpp"

namespace netmap::fault {

/// The device's side of a ring in private memory, whose user may write what it likes into it.
class ShownRing {
 public:
  explicit ShownRing(const RingPlace& at) noexcept
      : at_(at), head_(detail::load(at.ring->head)), tail_(detail::load(at.ring->tail)) {}

  [[nodiscard]] std::uint32_t num_slots() const noexcept { return at_.bounds.slots.size(); }
  [[nodiscard]] std::uint32_t distance(std::uint32_t from, std::uint32_t to) const noexcept {
    return to >= from ? to - from : to + num_slots() - from;
  }
  [[nodiscard]] std::uint32_t advance(std::uint32_t from, std::uint32_t by) const noexcept {
    return (from + by) % num_slots();
  }
  /// How many slots the program owned, from `head` on.
  [[nodiscard]] std::uint32_t owned(std::uint32_t head) const noexcept {
    return distance(head, tail_);
  }
  [[nodiscard]] abi::netmap_slot& slot(std::uint32_t index) const noexcept {
    return at_.bounds.slots.first[index];
  }
  [[nodiscard]] const detail::BufferArea& buffers() const noexcept { return at_.bounds.buffers; }
  [[nodiscard]] abi::netmap_ring& raw() const noexcept { return *at_.ring; }
  [[nodiscard]] detail::Ledger& ledger() noexcept { return ledger_; }

  /// The first slot that was not taken from the program yet.
  [[nodiscard]] std::uint32_t head() const noexcept { return head_; }
  [[nodiscard]] std::uint32_t tail() const noexcept { return tail_; }
  /// The program's head, if it can be; else the ring is reset and there is none.
  [[nodiscard]] std::optional<std::uint32_t> read_head() noexcept;
  /// Takes the slots before `head` from the program, and counts them.
  void take(std::uint32_t head) noexcept;
  void show(std::uint32_t tail) noexcept;
  /// Writes what was received; nothing, and yields false, if the slot names no buffer that holds
  /// it.
  [[nodiscard]] bool write(std::uint32_t index, const Fragment& fragment) noexcept;
  /// Puts head, cur and tail back to where they were last right.
  void reset() noexcept;

 private:
  RingPlace at_;
  std::uint32_t head_;
  std::uint32_t tail_;
  detail::Ledger ledger_;
};

class FaultyTx {
 public:
  FaultyTx(const RingPlace& shown, TxRing& inner, const Inflicted& faults);

  /// Puts what was committed on the wire. Fails with ring_corrupt, and resets the ring.
  SyncStatus take(Clock::time_point now);
  /// Puts what is due into the device's ring, to be sent by its next sync.
  SyncStatus pass_on(Clock::time_point now);
  /// Puts everything there, as far as there is room.
  void flush() { (void)pass_on(Clock::time_point::max(), SIZE_MAX); }
  /// Shows which slots are free again, after that sync.
  void show_free() noexcept;
  /// Tells the device how many free slots to wake for.
  void want() noexcept;
  /// When a sync will do something without any wake-up.
  [[nodiscard]] Clock::time_point due() const;
  [[nodiscard]] detail::Ledger& ledger() noexcept { return shown_.ledger(); }

 private:
  SyncStatus pass_on(Clock::time_point now, std::size_t limit);

  ShownRing shown_;
  TxRing& inner_;
  Wire wire_;
};

class FaultyRx {
 public:
  FaultyRx(const RingPlace& shown, RxRing& inner, const Inflicted& faults)
      : shown_(shown), inner_(inner), wire_(faults) {}

  /// Gives back to the device what the program gave back, to be handed over by its next sync.
  /// Fails with ring_corrupt, and resets the ring.
  SyncStatus give_back();
  /// Puts on the wire what that sync brought.
  SyncStatus take(Clock::time_point now);
  /// Shows what is due, and when the sync was.
  SyncStatus show(Clock::time_point now);
  /// Whether something is under way, or was shown and not given back.
  [[nodiscard]] bool has_any() const noexcept {
    return wire_.slots() != 0 || shown_.owned(shown_.head()) != 0;
  }
  [[nodiscard]] Clock::time_point due() const;
  [[nodiscard]] detail::Ledger& ledger() noexcept { return shown_.ledger(); }

 private:
  void show_time() noexcept;
  [[nodiscard]] std::uint32_t room() const noexcept {
    return shown_.num_slots() - 1 - shown_.owned(shown_.head());
  }

  ShownRing shown_;
  RxRing& inner_;
  Wire wire_;
  std::size_t held_ = 0;  ///< of the device's slots, on the wire or shown, and not given back
};

}  // namespace netmap::fault
