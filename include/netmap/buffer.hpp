// SPDX-License-Identifier: BSD-2-Clause
//
// Extra buffers: packet buffers that a port owns beside those in its rings. A program keeps a
// received packet by swapping an extra buffer into its slot, and sends a prepared one by swapping
// it into a free slot; no bytes move.
#pragma once

#include <netmap/error.hpp>
#include <netmap/slot.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace netmap {

class NETMAP_BUILD_TAG Port;

namespace detail {

/// A buffer, and where packets begin in it.
struct HeldBuffer {
  std::uint32_t index;
  std::uint64_t offset;
};

/// The extra buffers of one port. Each is a cell whose index changes as it is swapped; whoever
/// holds the cell owns the buffer, so no index can be used twice. Outlives the port if a Buffer
/// does; the cells then name nothing.
class BufferPool {
 public:
  /// Takes over the list that starts at `first` and is linked through the buffers' first words,
  /// netmap(4). Stops at an index that is no buffer or was met before. Packets begin at `offset`.
  BufferPool(const BufferArea& buffers, std::uint32_t first, std::uint64_t offset = 0);

  [[nodiscard]] std::size_t available() const noexcept { return free_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return cells_.size(); }
  /// The buffers, whoever holds them.
  [[nodiscard]] std::span<const HeldBuffer> held() const noexcept { return cells_; }
  /// Precondition: available() > 0.
  [[nodiscard]] std::size_t take() noexcept;
  void give_back(std::size_t cell) noexcept { free_.push_back(cell); }
  [[nodiscard]] std::span<std::byte> bytes(std::size_t cell) const noexcept;
  [[nodiscard]] bool same_region(const BufferArea& buffers) const noexcept {
    return buffers_.base == buffers.base;
  }
  [[nodiscard]] HeldBuffer& at(std::size_t cell) noexcept { return cells_[cell]; }

  /// Links every cell, whoever holds it, into a list for the port's allocator; yields its first
  /// index, 0 if there is none. Afterwards the pool is empty and its buffers have no bytes.
  [[nodiscard]] std::uint32_t close() noexcept;

 private:
  BufferArea buffers_;
  std::vector<HeldBuffer> cells_;
  std::vector<std::size_t> free_;
};

}  // namespace detail

/// Owns one extra buffer. Goes back to its port when destroyed; what is still out when the port
/// closes goes back to the allocator, and bytes() is empty from then on.
/// Thread: that of the port it came from.
class Buffer {
 public:
  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  /// From where a packet begins in it: the port's initial data offset, or where the packet began
  /// that was in the slot it was swapped out of.
  [[nodiscard]] std::span<std::byte> bytes() const noexcept NETMAP_LIFETIMEBOUND {
    return pool_ ? pool_->bytes(cell_) : std::span<std::byte>();
  }

 private:
  friend class Port;
  friend Result<> detail::swap(abi::netmap_slot&, const detail::Bounds&, Buffer&);

  [[nodiscard]] bool is_open() const noexcept { return pool_ && pool_->size() != 0; }

  explicit Buffer(std::shared_ptr<detail::BufferPool> pool)
      : pool_(std::move(pool)), cell_(pool_->take()) {}

  std::shared_ptr<detail::BufferPool> pool_;
  std::size_t cell_;
};

}  // namespace netmap
