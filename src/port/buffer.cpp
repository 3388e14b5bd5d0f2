// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/buffer.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace netmap {
namespace detail {

BufferPool::BufferPool(const BufferArea& buffers, std::uint32_t first) : buffers_(buffers) {
  std::vector<bool> met(std::size_t{buffers.usable} + abi::buffer_index::first_usable);
  for (std::uint32_t index = first; buffers_.has(index) && !met[index];) {
    met[index] = true;
    cells_.push_back(index);
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
  return cell < cells_.size() ? buffers_.buffer(cells_[cell]) : std::span<std::byte>();
}

std::uint32_t BufferPool::exchange(std::size_t cell, std::uint32_t index) noexcept {
  return std::exchange(cells_[cell], index);
}

std::uint32_t BufferPool::close() noexcept {
  // A hostile slot may have given an index that is in another cell; the list must have an end.
  std::ranges::sort(cells_);
  cells_.erase(std::ranges::unique(cells_).begin(), cells_.end());
  std::uint32_t first = 0;
  for (const std::uint32_t index : cells_) {
    std::memcpy(buffers_.buffer(index).data(), &first, sizeof first);
    first = index;
  }
  cells_.clear();
  free_.clear();
  return first;
}

Result<> swap(abi::netmap_slot& slot, const BufferArea& buffers, Buffer& buffer) {
  if (!buffer.pool_ || !buffer.pool_->same_region(buffers) || buffer.bytes().empty()) {
    return std::unexpected(Error(make_error_code(errc::not_supported),
                                 "cannot swap a buffer into a slot of another region; copy it"));
  }
  SlotWord word = load(slot);
  if (!buffers.has(word.index)) return std::unexpected(Error(errc::ring_corrupt));
  word.index = buffer.pool_->exchange(buffer.cell_, word.index);
  word.flags |= abi::slot_flags::buf_changed;
  store(slot, word);
  return {};
}

}  // namespace detail

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(cell_, other.cell_);
  return *this;
}

Buffer::~Buffer() {
  if (pool_ && !bytes().empty()) pool_->give_back(cell_);
}

}  // namespace netmap
