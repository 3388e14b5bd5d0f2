// SPDX-License-Identifier: BSD-2-Clause
//
// Some slots of a ring, one behind the other.
#pragma once

#include <netmap/slot.hpp>

#include <cstdint>

namespace netmap {

struct SlotRange {
  abi::netmap_slot* slots;  ///< all of the ring's
  std::uint32_t size;       ///< how many these are
  std::uint32_t first;
  std::uint32_t count;

  /// From `first` until before `end`, both less than `size`.
  static SlotRange between(abi::netmap_slot* slots, std::uint32_t size, std::uint32_t first,
                           std::uint32_t end) noexcept {
    return {slots, size, first, end >= first ? end - first : end + size - first};
  }
  [[nodiscard]] abi::netmap_slot& operator[](std::uint32_t n) const noexcept {
    return slots[n < size - first ? first + n : first + n - size];
  }
  /// Without what comes after the last whole packet.
  [[nodiscard]] SlotRange whole_packets() const noexcept {
    SlotRange whole = *this;
    while (whole.count != 0 && detail::load((*this)[whole.count - 1]).more_fragments()) {
      --whole.count;
    }
    return whole;
  }
};

}  // namespace netmap
