// SPDX-License-Identifier: BSD-2-Clause
//
// Where a monitor gets what passes one ring that it watches: the mailbox of its rx ring of that
// number. Whoever syncs the watched ring puts it in, as a sender does on a switch.
#pragma once

#include "device/embedded/bell.hpp"
#include "device/embedded/mailbox.hpp"
#include "device/slot_range.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace netmap::embedded {

/// Who puts something in, and what its slots name.
struct Watched {
  Memory* memory;
  std::uint64_t offset_mask;  ///< of the slots' ptr
  Direction direction;
  std::uint16_t owner;  ///< of the cells meanwhile
};

class Tap {
 public:
  /// Of rx ring `ring` of `monitor`, which lies in `memory`.
  Tap(std::shared_ptr<Memory> memory, const SwitchPort& monitor, std::uint32_t ring);

  // Of slots for which the monitor has no room it misses the first, as with the module. Within a
  // delivery, see EndpointRecord.

  /// Shows copies.
  void copy(const SlotRange& slots, const Watched& from, Ringer& ringer) const noexcept;
  /// The same of cells of a mailbox, before they are put in.
  void copy(const Mailbox& mailbox, std::span<const std::uint16_t> cells, std::uint16_t owner,
            Ringer& ringer) const noexcept;
  /// Shows the buffers themselves, in exchange for others. Both are of one region.
  void exchange(const SlotRange& slots, const Watched& from, Ringer& ringer) const noexcept;

 private:
  template <class Show>
  void put(std::uint32_t count, std::uint16_t owner, Ringer& ringer, Show&& show) const noexcept;

  std::shared_ptr<Memory> memory_;
  Mailbox mailbox_;
  RingWords* words_;  ///< the rx ring's, whose user may sleep
};

/// Those that show copies of what passes ring `ring` of a port. Within a delivery, as the next.
[[nodiscard]] std::vector<Tap> find_copiers(Domain& domain, const PortId& watched,
                                            Direction direction, std::uint32_t ring);
/// The one that takes the buffers of that ring: of the monitors that do, the first that came after
/// `turn`. It passes them on to the next.
[[nodiscard]] std::optional<Tap> find_taker(Domain& domain, const PortId& watched,
                                            Direction direction, std::uint32_t ring,
                                            std::uint64_t turn);

}  // namespace netmap::embedded
