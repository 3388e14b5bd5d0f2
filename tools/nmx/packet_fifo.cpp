// SPDX-License-Identifier: BSD-2-Clause
#include "packet_fifo.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nmx {

std::size_t PacketFifo::footprint(std::size_t packet_bytes) {
  constexpr std::size_t aligned = alignof(Header);
  return sizeof(Header) + (packet_bytes + aligned - 1) / aligned * aligned;
}

std::span<std::byte> PacketFifo::room(std::size_t bytes) {
  const std::size_t needed = footprint(bytes);
  const bool was_no_use = !blocks_.empty() && blocks_.back().used == 0;
  if (was_no_use && blocks_.back().size < needed) blocks_.pop_back();
  if (blocks_.empty() || blocks_.back().size - blocks_.back().used < needed) {
    blocks_.push_back(take_block(needed));
  }
  const Block& last = blocks_.back();
  return {last.memory.get() + last.used + sizeof(Header), bytes};
}

void PacketFifo::push(Clock::time_point due, std::size_t bytes) {
  Block& last = blocks_.back();
  const Header header{due, bytes};
  std::memcpy(last.memory.get() + last.used, &header, sizeof header);
  last.used += footprint(bytes);
  footprint_ += footprint(bytes);
  ++size_;
}

PacketFifo::Held PacketFifo::front() const {
  const Header first = header();
  return {first.due, {blocks_.front().memory.get() + first_ + sizeof(Header), first.bytes}};
}

void PacketFifo::pop() {
  const std::size_t bytes = footprint(header().bytes);
  first_ += bytes;
  footprint_ -= bytes;
  --size_;
  if (first_ != blocks_.front().used) return;
  first_ = 0;
  spare_ = std::move(blocks_.front());
  blocks_.pop_front();
}

PacketFifo::Header PacketFifo::header() const {
  Header first;
  std::memcpy(&first, blocks_.front().memory.get() + first_, sizeof first);
  return first;
}

PacketFifo::Block PacketFifo::take_block(std::size_t bytes) {
  if (spare_.memory != nullptr && spare_.size >= bytes) {
    Block taken = std::exchange(spare_, {});
    taken.used = 0;
    return taken;
  }
  const std::size_t size = std::max(bytes, block_bytes);
  return {std::make_unique_for_overwrite<std::byte[]>(size), size};
}

}  // namespace nmx
