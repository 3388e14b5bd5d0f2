// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/buffer.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace netmap {
namespace detail {

BufferPool::BufferPool(const BufferArea& buffers, std::uint32_t first, std::uint64_t offset)
    : buffers_(buffers) {
  std::vector<bool> met(std::size_t{buffers.usable} + abi::buffer_index::first_usable);
  for (std::uint32_t index = first; buffers_.has(index) && !met[index];) {
    met[index] = true;
    cells_.push_back({index, offset});
    std::memcpy(&index, buffers_.buffer(index).data(), sizeof index);
  }
  free_.reserve(cells_.size());
  for (std::size_t cell = cells_.size(); cell != 0; --cell) free_.push_back(cell - 1);
}

std::size_t BufferPool::take() noexcept {
  const std::size_t cell = free_.back();
  free_.pop_back();
  return cell;
}

std::span<std::byte> BufferPool::bytes(std::size_t cell) const noexcept {
  if (cell >= cells_.size()) return {};
  const auto [index, offset] = cells_[cell];
  const auto whole = buffers_.buffer(index);
  return whole.subspan(std::min<std::uint64_t>(offset, whole.size()));
}

std::uint32_t BufferPool::close() noexcept {
  // A hostile slot may have given an index that is in another cell; the list must have an end.
  std::ranges::sort(cells_, {}, &HeldBuffer::index);
  cells_.erase(std::ranges::unique(cells_, {}, &HeldBuffer::index).begin(), cells_.end());
  std::uint32_t first = 0;
  for (const auto [index, offset] : cells_) {
    std::memcpy(buffers_.buffer(index).data(), &first, sizeof first);
    first = index;
  }
  cells_.clear();
  free_.clear();
  return first;
}

bool exchange_with_offsets(const Bounds& rx, abi::netmap_slot& received, const Bounds& tx,
                           abi::netmap_slot& free) noexcept {
  const SlotWord full = load(received);
  const std::size_t size = rx.buffers.size;
  const std::size_t from = start_of(rx, received, full.length);
  const std::size_t to = start_of(tx, free, 0);
  if (from == 0 || to == 0) return false;
  constexpr auto changed = abi::slot_flags::buf_changed;
  const auto kept = static_cast<std::uint16_t>(full.flags & abi::slot_flags::more_fragments);
  rx.offsets.store_to(received, to % size);
  tx.offsets.store_to(free, from % size);
  // As in exchange(): what was received first.
  store(received, {static_cast<std::uint32_t>(to / size), full.length,
                   static_cast<std::uint16_t>(full.flags | changed)});
  std::atomic_signal_fence(std::memory_order_release);
  store(free, {static_cast<std::uint32_t>(from / size), full.length,
               static_cast<std::uint16_t>(kept | changed)});
  if (rx.offsets.starts != nullptr) rx.offsets.starts[rx.slots.index(&received)] = to;
  if (tx.offsets.starts != nullptr) tx.offsets.starts[tx.slots.index(&free)] = from;
  return true;
}

Result<> swap(abi::netmap_slot& slot, const Bounds& bounds, Buffer& buffer) {
  if (!buffer.is_open() || !buffer.pool_->same_region(bounds.buffers)) {
    return std::unexpected(Error(make_error_code(errc::not_supported),
                                 "cannot swap a buffer into a slot of another region; copy it"));
  }
  HeldBuffer& held = buffer.pool_->at(buffer.cell_);
  if (held.offset > bounds.offsets.max) {
    return std::unexpected(Error(make_error_code(errc::not_supported),
                                 "cannot swap a buffer whose packet begins at byte " +
                                     std::to_string(held.offset) +
                                     " into a ring without such data offsets; copy it"));
  }
  SlotWord word = load(slot);
  if (!bounds.buffers.has(word.index)) return std::unexpected(Error(errc::ring_corrupt));
  const HeldBuffer from_slot{word.index, load(slot.ptr) & bounds.offsets.mask};
  word.index = held.index;
  word.flags |= abi::slot_flags::buf_changed;
  bounds.offsets.store_to(slot, held.offset);
  store(slot, word);
  held = from_slot;
  return {};
}

}  // namespace detail

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(cell_, other.cell_);
  return *this;
}

Buffer::~Buffer() {
  if (is_open()) pool_->give_back(cell_);
}

}  // namespace netmap
