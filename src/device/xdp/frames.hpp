// SPDX-License-Identifier: BSD-2-Clause
//
// Buffers as the kernel names them. What it receives it puts 256 bytes or more behind the address
// that it was given, and netmap's packets begin where their buffers do, or at a data offset. There
// are two ways to make ends meet:
//
// - Chunks are the buffers (aligned). Packets begin 256 bytes into them or later, which takes data
//   offsets; drivers may read and write the buffers themselves.
// - Chunks begin anywhere: as far in front of the buffer as it takes for packets to begin where
//   they should, at the end of another buffer, where the kernel writes nothing. That it does not
//   only because it copies packets into them.
#pragma once

#include "device/own_ring.hpp"
#include "os/xdp_socket.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace netmap::xdp {

struct Frames {
  std::span<std::byte> memory;  ///< whole pages that hold the buffers
  std::uint64_t first;          ///< where buffer 0 is in them
  std::uint32_t count;
  std::uint32_t bytes;      ///< of each
  std::uint32_t begin = 0;  ///< where in them the kernel puts what it receives
  /// Whether chunks are the buffers; then `bytes` is a power of two, `first` a multiple of it, and
  /// `begin` at least os::xdp::headroom.
  bool is_aligned = false;

  [[nodiscard]] bool has(std::uint32_t index) const noexcept {
    return index >= abi::buffer_index::first_usable && index < count;
  }
  /// Precondition of this and the next: has(index).
  [[nodiscard]] std::uint64_t address(std::uint32_t index) const noexcept {
    return first + std::uint64_t{index} * bytes;
  }
  [[nodiscard]] std::uint64_t fill_address(std::uint32_t index) const noexcept {
    return address(index) + begin - os::xdp::headroom - more_headroom();
  }
  struct Place {
    std::uint32_t buffer;
    std::uint32_t offset;
  };
  /// What `address` says; nothing if that is in no buffer.
  [[nodiscard]] std::optional<Place> place(std::uint64_t address) const noexcept {
    const std::uint64_t low = address & ((std::uint64_t{1} << os::xdp::offset_shift) - 1);
    const std::uint64_t at = low + (address >> os::xdp::offset_shift) - first;
    const std::uint64_t found = at / bytes;
    if (found >= count || !has(static_cast<std::uint32_t>(found))) return {};
    return Place{static_cast<std::uint32_t>(found), static_cast<std::uint32_t>(at % bytes)};
  }

  /// For one fragment of what is received.
  [[nodiscard]] std::uint32_t room() const noexcept { return bytes - begin; }
  /// As the kernel is told.
  [[nodiscard]] std::uint32_t more_headroom() const noexcept {
    return is_aligned ? begin - os::xdp::headroom : 0;
  }
  [[nodiscard]] std::uint32_t chunk_bytes() const noexcept {
    return room() + os::xdp::headroom + more_headroom();
  }
};

/// Has slot `at` name `buffer`. If it does not, one of the slots behind it, up to `end`, does:
/// frames come back in another order than they went. The two are exchanged then.
inline void bring(const OwnRing& ring, std::uint32_t at, std::uint32_t end,
                  std::uint32_t buffer) noexcept {
  const auto name = [&](std::uint32_t slot, std::uint32_t index) {
    auto word = detail::load(ring.slot(slot));
    word.index = index;
    word.flags |= abi::slot_flags::buf_changed;
    detail::store(ring.slot(slot), word);
  };
  const std::uint32_t found = detail::load(ring.slot(at)).index;
  if (found == buffer) return;
  std::uint32_t slot = ring.next(at);
  while (slot != end && detail::load(ring.slot(slot)).index != buffer) slot = ring.next(slot);
  if (slot != end) name(slot, found);
  name(at, buffer);
}

}  // namespace netmap::xdp
