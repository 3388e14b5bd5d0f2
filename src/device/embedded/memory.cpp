// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/memory.hpp"

#include "device/embedded/options.hpp"
#include "point.hpp"

#include <string>

namespace netmap::embedded {
namespace {

std::unexpected<Error> exhausted(const std::string& what) {
  return refuse(std::errc::not_enough_memory,
                "the region has no " + what + "; close a port of it, or use another memory id");
}

/// Of buffers while an interface is open, at least.
constexpr std::uint64_t usual_bytes = 32 << 20;

std::uint64_t whole_pages(std::uint64_t bytes) {
  const std::uint64_t page = os::page_bytes();
  return (bytes + page - 1) / page * page;
}

}  // namespace

Memory::Memory(std::shared_ptr<Region> region, os::Mapping state, const Pools& pools,
               std::uint16_t memory_id, std::string name)
    : region_(std::move(region)),
      state_mapping_(std::move(state)),
      state_(reinterpret_cast<RegionState*>(state_mapping_.bytes().data())),
      pools_(pools),
      memory_id_(memory_id),
      name_(std::move(name)) {}

Result<> Memory::reserve(std::uint64_t offset, std::uint64_t bytes) {
  if (auto reserved = os::reserve(region_->file(), offset, bytes); !reserved) {
    return std::unexpected(
        cannot("reserve " + std::to_string(bytes) + " bytes in '" + name_ + "'", reserved.error()));
  }
  return {};
}

Result<std::uint32_t> Memory::take_interface(std::uint32_t rings) {
  if (rings > rings_of_interface(pools_)) {
    return refuse(std::errc::not_enough_memory,
                  "the region's interfaces list " + std::to_string(rings_of_interface(pools_)) +
                      " rings at most, the host's included, not " + std::to_string(rings) +
                      "; ask for a larger if-size");
  }
  for (std::uint32_t object = 0; object != pools_.interfaces.objects; ++object) {
    if (state_->interfaces.test(object)) continue;
    auto reserved = reserve(pools_.interfaces.at(object), pools_.interfaces.object_bytes);
    if (!reserved) return std::unexpected(reserved.error());
    state_->interfaces.set(object);
    return object;
  }
  return exhausted("interfaces left");
}

void Memory::give_back_interface(std::uint32_t object) {
  if (object < pools_.interfaces.objects) state_->interfaces.reset(object);
}

Result<std::uint32_t> Memory::take_rings(std::uint32_t count, std::uint32_t slots) {
  if (slots > slots_of_ring(pools_)) {
    return refuse(std::errc::not_enough_memory, "the region's rings have room for " +
                                                    std::to_string(slots_of_ring(pools_)) +
                                                    " slots, not for " + std::to_string(slots) +
                                                    "; ask for fewer, or for a larger ring-size");
  }
  std::uint32_t first = 0;
  for (std::uint32_t object = 0; object != pools_.rings.objects && object - first != count;
       ++object) {
    if (state_->rings.test(object)) first = object + 1;
  }
  if (first + count > pools_.rings.objects) return exhausted("rings left");
  const std::uint64_t used =
      ring_in_object + sizeof(abi::netmap_ring) + std::uint64_t{slots} * sizeof(abi::netmap_slot);
  for (std::uint32_t object = first; object != first + count; ++object) {
    auto reserved = reserve(pools_.rings.at(object), used);
    if (!reserved) return std::unexpected(reserved.error());
  }
  for (std::uint32_t object = first; object != first + count; ++object) state_->rings.set(object);
  return first;
}

void Memory::give_back_rings(std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t object = first; count != 0 && object < pools_.rings.objects;
       ++object, --count) {
    state_->rings.reset(object);
  }
}

Result<std::vector<std::uint32_t>> Memory::take_buffers(std::uint32_t count) {
  std::vector<std::uint32_t> taken;
  const std::uint32_t all = buffer_end();
  for (std::uint32_t index = 0; index != all && taken.size() != count; ++index) {
    if (!state_->buffers.test(index)) taken.push_back(index);
  }
  if (taken.size() != count) {
    return exhausted(state_->buffer_limit == 0
                         ? "buffers left"
                         : "buffers left, and does not grow while an interface is open in it");
  }
  for (std::size_t begin = 0, end = 0; begin != taken.size(); begin = end) {
    while (end != taken.size() && taken[end] - taken[begin] == end - begin) ++end;
    auto reserved = reserve(pools_.buffers.at(taken[begin]),
                            std::uint64_t{end - begin} * pools_.buffers.object_bytes);
    if (!reserved) return std::unexpected(reserved.error());
  }
  NETMAP_POINT("grow: reserved");
  for (const std::uint32_t index : taken) {
    mark(index);
    state_->buffers.set(index);
  }
  return taken;
}

void Memory::give_back_buffer(std::uint32_t index) {
  if (index < abi::buffer_index::first_usable || index >= pools_.buffers.objects) return;
  state_->buffers.reset(index);
}

std::uint32_t Memory::buffer_end() const noexcept {
  const std::uint32_t all = pools_.buffers.objects;
  return state_->buffer_limit == 0 ? all : std::min(state_->buffer_limit, all);
}

Result<std::uint32_t> Memory::fix_buffers(std::uint32_t count) {
  if (state_->buffer_limit != 0) return buffer_end();
  std::uint32_t used = pools_.buffers.objects;
  while (used != 0 && !state_->buffers.test(used - 1)) --used;
  const PoolGeometry& buffers = pools_.buffers;
  const std::uint64_t least = std::uint64_t{used} + count;
  const std::uint64_t usual =
      std::max<std::uint64_t>(3 * least, usual_bytes / buffers.object_bytes);
  Result<> reserved;
  for (const std::uint64_t wanted : {usual, least}) {
    const auto end = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, buffers.objects));
    const std::uint64_t last = buffers.offset + std::uint64_t{end} * buffers.object_bytes;
    reserved = reserve(buffers.offset, whole_pages(last) - buffers.offset);
    if (!reserved) continue;
    state_->buffer_limit = end;
    NETMAP_POINT("nic: region fixed");
    return end;
  }
  return std::unexpected(reserved.error());
}

Memory::BufferList Memory::take_buffer_list(std::uint32_t count) {
  BufferList list{0, 0};
  for (std::uint32_t ask = count; ask != 0 && list.count == 0; ask /= 2) {
    const auto taken = take_buffers(ask);
    if (!taken) continue;
    for (const std::uint32_t index : *taken) link(index) = std::exchange(list.first, index);
    list.count = ask;
  }
  return list;
}

void Memory::give_back_buffer_list(std::uint32_t first) {
  std::uint32_t index = first;
  for (std::uint32_t count = 0; count != pools_.buffers.objects; ++count) {
    if (index < abi::buffer_index::first_usable || index >= pools_.buffers.objects) break;
    if (!state_->buffers.test(index)) break;
    state_->buffers.reset(index);
    index = detail::load(link(index));
  }
}

void Memory::keep_only(const Objects& named) noexcept {
  state_->interfaces = named.interfaces;
  state_->rings = named.rings;
}

std::uint32_t Memory::recount() const noexcept {
  return state_->is_recounting ? state_->recounts.load() : 0;
}

void Memory::mark(std::uint32_t index) noexcept {
  if (index >= pools_.buffers.objects) return;
  auto& seen = state_->seen[index / 64];
  const std::uint64_t bit = std::uint64_t{1} << index % 64;
  if ((seen.load(std::memory_order_relaxed) & bit) != 0) return;  // cheaper than to set it again
  seen.fetch_or(bit, std::memory_order_relaxed);
}

void Memory::start_recount() noexcept {
  state_->recount_again = state_->is_recounting;
  if (state_->is_recounting) return;
  for (auto& seen : state_->seen) seen.store(0, std::memory_order_relaxed);
  ++state_->recounts;
  state_->is_recounting = true;
}

void Memory::put_off_recount() noexcept {
  state_->recount_again = true;
  NETMAP_POINT("recount: put off");
  state_->is_recounting = false;
}

void Memory::renew_recount() noexcept {
  if (!state_->is_recounting && !state_->recount_again) return;
  state_->is_recounting = false;
  NETMAP_POINT("recount: renewed");
  start_recount();
}

void Memory::finish_recount() noexcept {
  for (std::uint32_t index = abi::buffer_index::first_usable; index != pools_.buffers.objects;
       ++index) {
    const std::uint64_t seen = state_->seen[index / 64].load(std::memory_order_relaxed);
    if ((seen >> index % 64 & 1) == 0) state_->buffers.reset(index);
  }
  NETMAP_POINT("recount: freed");
  state_->is_recounting = false;
  if (state_->recount_again) start_recount();
}

}  // namespace netmap::embedded
