// SPDX-License-Identifier: BSD-2-Clause
//
// Words that the other side of a ring reads and writes, and the bounds within which they are
// believed. Nothing else in the library dereferences an index taken from shared memory.
#pragma once

#include <netmap/abi.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

// A function that a loop calls now and then, and that leaves the loop its registers. The tag keeps
// other compilers' copies, which do not, from being linked in its place.
#if defined(__clang__) && defined(__x86_64__)
#define NETMAP_RARE_CALL [[gnu::noinline, gnu::abi_tag("preserving"), clang::preserve_most]]
#else
#define NETMAP_RARE_CALL [[gnu::noinline]]
#endif

// The same for a function that is hardly ever called, and calls nothing itself.
#if defined(__clang__) || !defined(__x86_64__)
#define NETMAP_COLD_CALL NETMAP_RARE_CALL
#else
#define NETMAP_COLD_CALL \
  [[gnu::cold, gnu::noinline, gnu::no_caller_saved_registers, gnu::target("general-regs-only")]]
#endif

namespace netmap::detail {

/// Reads a word once, whatever the other side does to it meanwhile.
template <class Word>
[[nodiscard]] Word load(const Word& word) noexcept {
  return __atomic_load_n(&word, __ATOMIC_RELAXED);
}
template <class Word>
void store(Word& word, std::type_identity_t<Word> value) noexcept {
  __atomic_store_n(&word, value, __ATOMIC_RELAXED);
}

[[nodiscard]] inline bool has_more_fragments(std::uint16_t flags) noexcept {
  return (flags & abi::slot_flags::more_fragments) != 0;
}

/// The first eight bytes of a slot, moved in one piece: what was checked is what is used.
struct SlotWord {
  std::uint32_t index;
  std::uint16_t length;
  std::uint16_t flags;

  [[nodiscard]] bool more_fragments() const noexcept { return has_more_fragments(flags); }
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

/// The slots of a ring: each has a next one, and behind the last is the first.
struct SlotCircle {
  abi::netmap_slot* first = nullptr;
  abi::netmap_slot* end = nullptr;
  std::uint32_t count = 0;

  SlotCircle() = default;
  SlotCircle(abi::netmap_slot* slots, std::uint32_t num_slots) noexcept
      : first(slots), end(slots + num_slots), count(num_slots) {}

  [[nodiscard]] std::uint32_t size() const noexcept { return count; }
  [[nodiscard]] abi::netmap_slot* next(abi::netmap_slot* slot) const noexcept {
    return slot + 1 == end ? first : slot + 1;
  }
  [[nodiscard]] abi::netmap_slot* previous(abi::netmap_slot* slot) const noexcept {
    return (slot == first ? end : slot) - 1;
  }
  [[nodiscard]] std::uint32_t index(const abi::netmap_slot* slot) const noexcept {
    return static_cast<std::uint32_t>(slot - first);
  }
  /// The slot `by` places on; at most once around.
  [[nodiscard]] abi::netmap_slot* advance(abi::netmap_slot* slot,
                                          std::ptrdiff_t by) const noexcept {
    const std::ptrdiff_t index = slot - first + by;
    return first + (index < 0 ? index + size() : index < size() ? index : index - size());
  }
  /// Slots from `from` up to, not including, `to`.
  [[nodiscard]] std::uint32_t distance(const abi::netmap_slot* from,
                                       const abi::netmap_slot* to) const noexcept {
    const auto ahead = static_cast<std::uint32_t>(to - from);
    return to >= from ? ahead : ahead + count;
  }
};

/// The buffers that a slot may name.
struct BufferArea {
  std::byte* base;       ///< buffer 0 of the region
  std::uint32_t usable;  ///< how many, not counting 0 and 1, which are netmap's own
  std::uint32_t size;    ///< bytes of each
  /// How many hold a packet from their first byte on: all, or none if slots have data offsets. The
  /// check that every index needs thus sends such slots the slow way, and costs others nothing.
  std::uint32_t plain;

  [[nodiscard]] bool has(std::uint32_t index) const noexcept {
    return index - abi::buffer_index::first_usable < usable;
  }
  [[nodiscard]] bool is_plain(std::uint32_t index) const noexcept {
    return index - abi::buffer_index::first_usable < plain;
  }
  /// The bytes of one buffer that a slot can name: its length has 16 bits.
  [[nodiscard]] std::uint32_t capacity() const noexcept {
    return std::min<std::uint32_t>(size, UINT16_MAX);
  }
  /// A whole buffer; empty if there is none with that index.
  [[nodiscard]] std::span<std::byte> buffer(std::uint32_t index) const noexcept {
    if (!has(index)) [[unlikely]]
      return {};
    return {base + std::size_t{index} * size, capacity()};
  }
};

/// Where packets may begin in their buffers, netmap(4)'s NETMAP_REQ_OPT_OFFSETS.
struct Offsets {
  std::uint64_t mask = 0;  ///< the bits of netmap_slot::ptr that say it; 0 if nothing does
  std::uint64_t max = 0;   ///< bytes
  /// What start_of() found in each slot since the program owns it, so that it is read once; 0 if it
  /// was not read. The ring's; null if its slots are read again each time.
  std::size_t* starts = nullptr;

  void store_to(abi::netmap_slot& slot, std::uint64_t offset) const noexcept {
    store(slot.ptr, (load(slot.ptr) & ~mask) | (offset & mask));
  }
  friend bool operator==(const Offsets& a, const Offsets& b) noexcept {
    return a.mask == b.mask && a.max == b.max;
  }
};

/// The true extent of a ring, copied out of shared memory and checked when the port was opened.
struct Bounds {
  SlotCircle slots;
  BufferArea buffers;
  Offsets offsets{};
};

/// memcpy() that copies the shortest packets, of which the most come, without a call.
inline void copy_bytes(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  constexpr std::size_t half = 32;
  if (size < half || size > 2 * half) {
    std::memcpy(to, from, size);
  } else {
    std::memcpy(to, from, half);
    std::memcpy(to + size - half, from + size - half, half);
  }
}

/// Where the slot's packet begins, in bytes from BufferArea::base; 0 if the slot names no buffer
/// that holds `length` bytes of it.
NETMAP_COLD_CALL inline std::size_t start_of(const Bounds& bounds, const abi::netmap_slot& slot,
                                             std::size_t length) noexcept {
  const Offsets& offsets = bounds.offsets;
  const std::size_t size = bounds.buffers.size;
  std::size_t start = 0;
  std::size_t* const known =
      offsets.starts == nullptr ? &start : &offsets.starts[&slot - bounds.slots.first];
  if (*known == 0) {
    const std::uint32_t index = __atomic_load_n(&slot.buf_idx, __ATOMIC_RELAXED);
    const std::uint64_t offset = __atomic_load_n(&slot.ptr, __ATOMIC_RELAXED) & offsets.mask;
    const bool exists = index - abi::buffer_index::first_usable < bounds.buffers.usable;
    if (exists && offset < size) *known = index * size + offset;
  }
  return *known != 0 && length <= size - *known % size ? *known : 0;
}

/// The first `length` bytes of the packet of a slot that names buffer `index`; empty if they are
/// not in it. `area` is the caller's copy of what is in `bounds`.
[[nodiscard]] inline std::span<std::byte> bytes_of(const BufferArea& area, const Bounds& bounds,
                                                   const abi::netmap_slot& slot,
                                                   std::uint32_t index,
                                                   std::size_t length) noexcept {
  std::size_t start;
  if (!area.is_plain(index) || length > area.size) [[unlikely]] {
    start = start_of(bounds, slot, length);
    if (start == 0) length = 0;
  } else {
    start = std::size_t{index} * area.size;
  }
  return {area.base + start, length};
}

}  // namespace netmap::detail
