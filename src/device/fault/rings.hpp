// SPDX-License-Identifier: BSD-2-Clause
//
// A ring that the program sees, the device's ring behind it, and the wire between them. The one
// shows as many free or received slots as the other has, less or more what the wire holds.
#pragma once

#include <netmap/port.hpp>

#include "device/fault/wire.hpp"
#include "device/own_ring.hpp"
#include "port/layout.hpp"

namespace netmap::fault {

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

  OwnRing shown_;
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
    return wire_.slots() != 0 || shown_.first() != shown_.tail();
  }
  [[nodiscard]] Clock::time_point due() const;
  [[nodiscard]] detail::Ledger& ledger() noexcept { return shown_.ledger(); }

 private:
  void show_time() noexcept;

  OwnRing shown_;
  RxRing& inner_;
  Wire wire_;
  std::size_t held_ = 0;  ///< of the device's slots, on the wire or shown, and not given back
};

}  // namespace netmap::fault
