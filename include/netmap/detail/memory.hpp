// SPDX-License-Identifier: BSD-2-Clause
//
// Words that the other side of a ring reads and writes, and the bounds within which they are
// believed. Nothing else in the library dereferences an index taken from shared memory.
#pragma once

#include <netmap/abi.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace netmap::detail {

inline std::uint32_t load(const std::uint32_t& word) noexcept {
  return __atomic_load_n(&word, __ATOMIC_RELAXED);
}
inline void store(std::uint32_t& word, std::uint32_t value) noexcept {
  __atomic_store_n(&word, value, __ATOMIC_RELAXED);
}

/// The first eight bytes of a slot, moved in one piece: what was checked is what is used.
struct SlotWord {
  std::uint32_t index;
  std::uint16_t length;
  std::uint16_t flags;

  [[nodiscard]] bool more_fragments() const noexcept {
    return (flags & abi::slot_flags::more_fragments) != 0;
  }
};
static_assert(sizeof(SlotWord) == 8 && offsetof(abi::netmap_slot, flags) == 6);

using RawWord [[gnu::may_alias]] = std::uint64_t;

inline SlotWord load(const abi::netmap_slot& slot) noexcept {
  const auto* raw = reinterpret_cast<const RawWord*>(&slot);
  return std::bit_cast<SlotWord>(std::uint64_t{__atomic_load_n(raw, __ATOMIC_RELAXED)});
}
inline void store(abi::netmap_slot& slot, SlotWord word) noexcept {
  auto* raw = reinterpret_cast<RawWord*>(&slot);
  __atomic_store_n(raw, std::bit_cast<std::uint64_t>(word), __ATOMIC_RELAXED);
}

/// The true extent of a ring, copied out of shared memory and checked when the port was opened.
struct Bounds {
  abi::netmap_slot* slots;
  std::byte* buffers;  ///< buffer 0 of the region
  std::uint32_t num_slots;
  std::uint32_t buffer_size;   ///< bytes
  std::uint32_t buffer_count;  ///< 0 and 1 are netmap's own, the last is buffer_count - 1

  [[nodiscard]] std::uint32_t next(std::uint32_t slot) const noexcept {
    return slot + 1 == num_slots ? 0 : slot + 1;
  }
  [[nodiscard]] std::uint32_t previous(std::uint32_t slot) const noexcept {
    return (slot == 0 ? num_slots : slot) - 1;
  }
  [[nodiscard]] std::uint32_t advance(std::uint32_t slot, std::uint32_t by) const noexcept {
    return slot + by < num_slots ? slot + by : slot + by - num_slots;
  }
  /// Slots from `from` up to, not including, `to`.
  [[nodiscard]] std::uint32_t distance(std::uint32_t from, std::uint32_t to) const noexcept {
    return to >= from ? to - from : to + num_slots - from;
  }
  [[nodiscard]] bool is_buffer(std::uint32_t index) const noexcept {
    return index - 2 < buffer_count - 2;
  }
  /// The bytes a slot names; empty where it names none.
  [[nodiscard]] std::span<std::byte> bytes(SlotWord word) const noexcept {
    if (!is_buffer(word.index) || word.length > buffer_size) [[unlikely]]
      return {};
    return {buffers + std::size_t{word.index} * buffer_size, word.length};
  }
  [[nodiscard]] std::span<std::byte> buffer(std::uint32_t index) const noexcept {
    if (!is_buffer(index)) [[unlikely]]
      return {};
    return {buffers + std::size_t{index} * buffer_size, buffer_size};
  }
};

}  // namespace netmap::detail
