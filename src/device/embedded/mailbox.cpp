// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/mailbox.hpp"

#include "point.hpp"

namespace netmap::embedded {

using detail::store;

bool owner::is_alive(std::uint16_t owner, const DomainState& state) noexcept {
  const std::uint32_t endpoint = (owner & ((1U << bits) - 1)) - 1;
  if (owner == mailbox || endpoint >= max_endpoints) return owner == mailbox;
  const EndpointRecord& record = state.endpoints[endpoint];
  return record.in_use.load(std::memory_order_acquire) != 0 &&
         of(endpoint, record.epoch.load(std::memory_order_acquire)) == owner;
}

detail::BufferArea all_buffers(const Memory& memory) noexcept {
  const PoolGeometry& buffers = memory.pools().buffers;
  const std::uint32_t usable = buffers.objects - abi::buffer_index::first_usable;
  return {memory.region()->bytes().data() + buffers.offset, usable, buffers.object_bytes, usable};
}

Mailbox Mailbox::in(const Memory& memory, std::uint32_t object, std::uint32_t size) {
  return {reinterpret_cast<MailboxWords*>(&memory.words(object)),
          reinterpret_cast<Cell*>(abi::slots_of(memory.ring(object))),
          std::clamp(size, 1U, slots_of_ring(memory.pools())), all_buffers(memory)};
}

void Mailbox::reset() const noexcept {
  for (std::uint32_t cell = 0; cell != size; ++cell) {
    cells[cell].owner.store(owner::nobody, std::memory_order_relaxed);
    store(cells[cell].offset, 0);
  }
  cells[0].owner.store(owner::mailbox, std::memory_order_relaxed);
  store(cells[0].next, no_cell);
  words->newest = 0;
  words->empty = 0;
  words->dropped = 0;
  words->progress = 0;
  words->moved = 0;
}

void Mailbox::set_offset(std::uint64_t bytes) const noexcept {
  for (std::uint32_t cell = 0; cell != size; ++cell) {
    store(cells[cell].offset, static_cast<std::uint16_t>(bytes));
  }
}

std::size_t Mailbox::claim(std::uint16_t owner, std::span<std::uint16_t> into) const noexcept {
  std::size_t claimed = 0;
  std::uint32_t cell = words->empty.load(std::memory_order_relaxed);
  if (cell >= size) cell = 0;
  for (std::uint32_t seen = 0; seen != size && claimed != into.size(); ++seen, cell = next(cell)) {
    auto& word = cells[cell].owner;
    std::uint16_t found = word.load(std::memory_order_relaxed);
    if (found != owner::nobody) continue;
    if (!word.compare_exchange_strong(found, owner, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
      continue;
    }
    NETMAP_POINT("deliver: cell claimed");
    into[claimed++] = static_cast<std::uint16_t>(cell);
  }
  words->empty.store(cell, std::memory_order_relaxed);
  return claimed;
}

void Mailbox::give_back(std::span<const std::uint16_t> unused) const noexcept {
  for (const std::uint16_t cell : unused) {
    cells[cell].owner.store(owner::nobody, std::memory_order_release);
  }
}

void Mailbox::put(std::span<const std::uint16_t> chain) const noexcept {
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) store(cells[chain[i]].next, chain[i + 1]);
  store(cells[chain.back()].next, no_cell);
  NETMAP_POINT("deliver: chain linked");
  std::uint32_t newest = words->newest.load(std::memory_order_relaxed);
  do {
    store(cells[chain.front()].older, static_cast<std::uint16_t>(newest));
  } while (!words->newest.compare_exchange_weak(newest, chain.front(), std::memory_order_release,
                                                std::memory_order_relaxed));
  NETMAP_POINT("deliver: put in");
}

}  // namespace netmap::embedded
