// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/memory.hpp"

#include "device/embedded/options.hpp"
#include "point.hpp"

#include <charconv>
#include <map>
#include <mutex>

#include <fcntl.h>

namespace netmap::embedded {
namespace {

constexpr std::uint64_t file_bytes = region_bytes + sizeof(RegionState);

constexpr std::string_view file_prefix = "mem";

std::string file_name(std::uint16_t memory_id) {
  return std::string(file_prefix) + std::to_string(memory_id);
}

std::unexpected<Error> exhausted(const std::string& what) {
  return refuse(
      std::errc::not_enough_memory,
      "the region has no " + what + " left; close a port of it, or use another memory id");
}

/// The mappings of this process, by file.
struct OpenRegions {
  std::mutex mutex;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::weak_ptr<Memory>> regions;
};

OpenRegions& open_regions() {
  static OpenRegions regions;
  return regions;
}

}  // namespace

Result<std::shared_ptr<Memory>> Memory::of(Domain& domain, std::uint16_t memory_id) {
  const std::string name = domain.path() + '/' + file_name(memory_id);
  auto file =
      os::open(domain.directory().fd(), file_name(memory_id), O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (!file) return std::unexpected(cannot("open the region '" + name + "'", file.error()));
  const auto status = os::status(*file);
  if (!status) return std::unexpected(cannot("look at '" + name + "'", status.error()));
  const std::scoped_lock only(open_regions().mutex);
  auto& regions = open_regions().regions;
  std::erase_if(regions, [](const auto& region) { return region.second.expired(); });
  auto& known = regions[{status->device, status->inode}];
  if (auto memory = known.lock()) return memory;

  if (status->bytes != 0 && status->bytes != file_bytes) {
    return std::unexpected(damaged("the region '" + name + "'"));
  }
  auto sized = os::set_size(*file, file_bytes);
  NETMAP_POINT("grow: sized");
  if (sized) sized = os::reserve(*file, region_bytes, sizeof(RegionState));
  if (!sized) return std::unexpected(cannot("reserve the region '" + name + "'", sized.error()));
  auto pools = os::map_at(*file, 0, region_bytes);
  auto state = os::map_at(*file, region_bytes, sizeof(RegionState));
  if (!pools) return std::unexpected(cannot("map the region '" + name + "'", pools.error()));
  if (!state) return std::unexpected(cannot("map the region '" + name + "'", state.error()));
  auto& header = reinterpret_cast<RegionState*>(state->bytes().data())->header;
  if (auto claimed = claim(header, region_magic, "the region '" + name + "'"); !claimed) {
    return std::unexpected(claimed.error());
  }
  auto memory =
      std::make_shared<Memory>(std::move(*file), std::move(*pools), std::move(*state), name);
  known = memory;
  return memory;
}

std::optional<std::uint16_t> Memory::id_of(std::string_view file) {
  if (!file.starts_with(file_prefix)) return {};
  file.remove_prefix(file_prefix.size());
  std::uint16_t memory_id = 0;
  const char* const last = file.data() + file.size();
  const auto [end, error] = std::from_chars(file.data(), last, memory_id);
  if (error != std::errc{} || end != last) return {};
  return memory_id;
}

Memory::Memory(os::File file, os::Mapping pools, os::Mapping state, std::string name)
    : region_(std::make_shared<Region>(std::move(pools), std::move(file))),
      state_mapping_(std::move(state)),
      state_(reinterpret_cast<RegionState*>(state_mapping_.bytes().data())),
      name_(std::move(name)) {
  for (std::uint32_t index = 0; index != abi::buffer_index::first_usable; ++index) {
    state_->buffers.set(index);
  }
}

Result<> Memory::reserve(std::uint64_t offset, std::uint64_t bytes) {
  if (auto reserved = os::reserve(region_->file(), offset, bytes); !reserved) {
    return std::unexpected(
        cannot("reserve " + std::to_string(bytes) + " bytes in '" + name_ + "'", reserved.error()));
  }
  return {};
}

Result<std::uint32_t> Memory::take_interface() {
  for (std::uint32_t object = 0; object != interface_pool.objects; ++object) {
    if (state_->interfaces.test(object)) continue;
    auto reserved = reserve(interface_pool.at(object), interface_pool.object_bytes);
    if (!reserved) return std::unexpected(reserved.error());
    state_->interfaces.set(object);
    return object;
  }
  return exhausted("interfaces");
}

void Memory::give_back_interface(std::uint32_t object) {
  if (object < interface_pool.objects) state_->interfaces.reset(object);
}

Result<std::uint32_t> Memory::take_rings(std::uint32_t count, std::uint32_t slots) {
  std::uint32_t first = 0;
  for (std::uint32_t object = 0; object != ring_pool.objects && object - first != count; ++object) {
    if (state_->rings.test(object)) first = object + 1;
  }
  if (first + count > ring_pool.objects) return exhausted("rings");
  const std::uint64_t used =
      ring_in_object + sizeof(abi::netmap_ring) + std::uint64_t{slots} * sizeof(abi::netmap_slot);
  for (std::uint32_t object = first; object != first + count; ++object) {
    auto reserved = reserve(ring_pool.at(object), used);
    if (!reserved) return std::unexpected(reserved.error());
  }
  for (std::uint32_t object = first; object != first + count; ++object) state_->rings.set(object);
  return first;
}

void Memory::give_back_rings(std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t object = first; count != 0 && object < ring_pool.objects; ++object, --count) {
    state_->rings.reset(object);
  }
}

Result<std::vector<std::uint32_t>> Memory::take_buffers(std::uint32_t count) {
  std::vector<std::uint32_t> taken;
  for (std::uint32_t index = 0; index != buffer_pool.objects && taken.size() != count; ++index) {
    if (!state_->buffers.test(index)) taken.push_back(index);
  }
  if (taken.size() != count) return exhausted("buffers");
  for (std::size_t begin = 0, end = 0; begin != taken.size(); begin = end) {
    while (end != taken.size() && taken[end] - taken[begin] == end - begin) ++end;
    auto reserved = reserve(buffer_pool.at(taken[begin]),
                            std::uint64_t{end - begin} * buffer_pool.object_bytes);
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
  if (index < abi::buffer_index::first_usable || index >= buffer_pool.objects) return;
  state_->buffers.reset(index);
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
  for (std::uint32_t count = 0; count != buffer_pool.objects; ++count) {
    if (index < abi::buffer_index::first_usable || index >= buffer_pool.objects) break;
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
  if (index >= buffer_pool.objects) return;
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

void Memory::finish_recount() noexcept {
  for (std::uint32_t index = abi::buffer_index::first_usable; index != buffer_pool.objects;
       ++index) {
    const std::uint64_t seen = state_->seen[index / 64].load(std::memory_order_relaxed);
    if ((seen >> index % 64 & 1) == 0) state_->buffers.reset(index);
  }
  NETMAP_POINT("recount: freed");
  state_->is_recounting = false;
  if (state_->recount_again) start_recount();
}

}  // namespace netmap::embedded
