// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/memory.hpp"

#include "device/embedded/options.hpp"
#include "point.hpp"

#include <charconv>
#include <cstring>
#include <map>
#include <mutex>

#include <fcntl.h>

namespace netmap::embedded {
namespace {

constexpr std::uint64_t own_file_bytes = region_bytes + sizeof(RegionState);

constexpr std::string_view file_prefix = "mem";

std::string file_name(std::uint16_t memory_id) {
  return std::string(file_prefix) + std::to_string(memory_id);
}

std::string path_of(const Domain& domain, std::uint16_t memory_id) {
  return domain.path() + '/' + file_name(memory_id);
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

/// A region's file in the domain.
struct RegionFile {
  std::string name;
  os::File file;
  os::FileStatus status;

  [[nodiscard]] auto key() const { return std::pair{status.device, status.inode}; }
};

Result<RegionFile> open_file(const Domain& domain, std::uint16_t memory_id) {
  std::string name = path_of(domain, memory_id);
  auto file =
      os::open(domain.directory().fd(), file_name(memory_id), O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (!file) return std::unexpected(cannot("open the region '" + name + "'", file.error()));
  const auto status = os::status(*file);
  if (!status) return std::unexpected(cannot("look at '" + name + "'", status.error()));
  return RegionFile{std::move(name), std::move(*file), *status};
}

/// Makes room for the pools, which is not reserved, and for the state behind them, which is.
Result<> set_size(const RegionFile& region, std::uint64_t pools) {
  auto sized = os::set_size(region.file, pools + sizeof(RegionState));
  NETMAP_POINT("grow: sized");
  if (sized) sized = os::reserve(region.file, pools, sizeof(RegionState));
  if (sized) return {};
  return std::unexpected(cannot("reserve the region '" + region.name + "'", sized.error()));
}

RegionState& state_in(const os::Mapping& mapping) {
  return *reinterpret_cast<RegionState*>(mapping.bytes().data());
}

Result<os::Mapping> map_state(const RegionFile& region, std::uint64_t offset) {
  auto state = os::map_at(region.file, offset, sizeof(RegionState));
  if (!state) {
    return std::unexpected(cannot("map the region '" + region.name + "'", state.error()));
  }
  return std::move(*state);
}

Result<> claim_region(const RegionFile& region, RegionState& state) {
  return claim(state.header, region_magic, "the region '" + region.name + "'");
}

/// A new region's file, and its state but for what claim_region() adds.
struct NewRegion {
  RegionFile file;
  os::Mapping state;
};
Result<NewRegion> make_region(const Domain& domain, std::uint16_t memory_id, std::uint64_t bytes,
                              const Pools& pools) {
  auto file = open_file(domain, memory_id);
  if (!file) return std::unexpected(file.error());
  if (auto emptied = os::set_size(file->file, 0); !emptied) {
    return std::unexpected(cannot("empty '" + file->name + "'", emptied.error()));
  }
  if (auto sized = set_size(*file, bytes); !sized) return std::unexpected(sized.error());
  auto state = map_state(*file, bytes);
  if (!state) return std::unexpected(state.error());
  state_in(*state).pools = pools;
  return NewRegion{std::move(*file), std::move(*state)};
}

/// Says which file the pools are.
Result<> name_file(RegionState& state, const ExternalFile& file) {
  if (file.path.size() >= sizeof state.file) {
    return refuse(std::errc::filename_too_long, "the path '" + file.path + "' is too long");
  }
  file.path.copy(state.file, file.path.size());
  state.file_device = file.status.device;
  state.file_inode = file.status.inode;
  return {};
}

/// Puts the domain's file in the place of the caller's memory.
Result<> move_into(const RegionFile& region, std::span<std::byte> bytes) {
  if (auto written = os::write_all(region.file, bytes); !written) {
    return std::unexpected(
        cannot("move the external memory into '" + region.name + "'", written.error()));
  }
  if (auto mapped = os::map_over(region.file, bytes); !mapped) {
    return std::unexpected(
        cannot("map '" + region.name + "' over the external memory", mapped.error()));
  }
  return {};
}

/// All of a region's pools, wherever there is room.
Result<std::shared_ptr<Region>> map_pools(os::File file, std::uint64_t bytes,
                                          const std::string& name) {
  auto pools = os::map(file, bytes);
  if (!pools) return std::unexpected(cannot("map the region '" + name + "'", pools.error()));
  return std::make_shared<Region>(std::move(*pools), std::move(file));
}

bool is_file_of(const RegionState& state, const os::FileStatus& status) {
  return state.file_device == status.device && state.file_inode == status.inode;
}

/// The file that others made a region of.
Result<std::shared_ptr<Region>> map_external_file(const RegionState& state,
                                                  const std::string& name) {
  const std::string path(state.file, ::strnlen(state.file, sizeof state.file));
  auto external = open_external_file(path);
  if (!external) {
    return std::unexpected(Error(external.error().code(), "cannot map the region '" + name +
                                                              "': " + external.error().message()));
  }
  if (is_file_of(state, external->status)) {
    return map_pools(std::move(external->file), external->status.bytes, name);
  }
  return std::unexpected(
      Error(errc::region_damaged, "the file '" + path + "' of the region '" + name +
                                      "' has been replaced; close all ports of that region first"));
}

/// Of a region that is not new; an empty file is to become one of the domain's own.
std::uint64_t pools_bytes(const os::FileStatus& file) {
  return (file.bytes == 0 ? own_file_bytes : file.bytes) - sizeof(RegionState);
}

/// The state of a region that there is, or of one of the domain's own, which is made if need be.
Result<os::Mapping> map_known_state(const RegionFile& file) {
  const std::uint64_t bytes = file.status.bytes;
  const bool is_own = bytes == 0 || bytes == own_file_bytes;
  const std::uint64_t offset = pools_bytes(file.status);
  if (is_own) {
    if (auto sized = set_size(file, offset); !sized) return std::unexpected(sized.error());
  } else if (bytes < sizeof(RegionState) || offset % os::page_bytes() != 0) {
    return std::unexpected(damaged("the region '" + file.name + "'"));
  }
  auto mapping = map_state(file, offset);
  if (!mapping) return mapping;
  RegionState& state = state_in(*mapping);
  if (state.header.magic == 0 && !is_own) {
    return std::unexpected(damaged("the region '" + file.name + "'"));
  }
  if (state.header.magic == 0) state.pools = own_pools;
  if (auto claimed = claim_region(file, state); !claimed) return std::unexpected(claimed.error());
  return mapping;
}

/// The caller's memory, as long as the domain's file is mapped over it.
class Overlay : public Region {
 public:
  using Region::Region;
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;
  /// If there is no memory for it, the file's stays where it is.
  ~Overlay() {
    if (os::map_private_over(bytes())) (void)os::read_all(file(), bytes());
  }
};

/// Once it has the state and the pools of a new region.
Result<std::shared_ptr<Memory>> finish(std::shared_ptr<Region> pools, os::Mapping state,
                                       std::uint16_t memory_id, const RegionFile& file) {
  const Pools divided = state_in(state).pools;
  if (!is_sound(divided, pools->bytes().size())) {
    return std::unexpected(damaged("the region '" + file.name + "'"));
  }
  auto memory =
      std::make_shared<Memory>(std::move(pools), std::move(state), divided, memory_id, file.name);
  open_regions().regions[file.key()] = memory;
  return memory;
}

}  // namespace

Result<std::shared_ptr<Memory>> Memory::of(Domain& domain, std::uint16_t memory_id) {
  auto file = open_file(domain, memory_id);
  if (!file) return std::unexpected(file.error());
  const std::scoped_lock only(open_regions().mutex);
  auto& regions = open_regions().regions;
  std::erase_if(regions, [](const auto& region) { return region.second.expired(); });
  if (const auto known = regions.find(file->key()); known != regions.end()) {
    if (auto memory = known->second.lock()) return memory;
  }
  auto mapping = map_known_state(*file);
  if (!mapping) return std::unexpected(mapping.error());
  const RegionState& state = state_in(*mapping);
  auto pools = state.file[0] != '\0'
                   ? map_external_file(state, file->name)
                   : map_pools(std::move(file->file), pools_bytes(file->status), file->name);
  if (!pools) return std::unexpected(pools.error());
  return finish(std::move(*pools), std::move(*mapping), memory_id, *file);
}

Result<std::shared_ptr<Memory>> Memory::over(Domain& domain, std::uint16_t memory_id,
                                             std::span<std::byte> bytes,
                                             const abi::nmreq_pools_info& wanted) {
  auto range = claim_range(bytes);
  if (!range) return std::unexpected(range.error());
  if (range->use_count() != 1) {
    return refuse(std::errc::device_or_resource_busy,
                  "this external memory is that of a port elsewhere; close that first");
  }
  const auto divided = divide(wanted);
  if (!divided) return std::unexpected(divided.error());
  auto made = make_region(domain, memory_id, bytes.size(), *divided);
  if (!made) return std::unexpected(made.error());
  auto& [file, state] = *made;
  auto done = claim_region(file, state_in(state));
  if (done) done = move_into(file, bytes);
  if (!done) return std::unexpected(done.error());
  const std::scoped_lock only(open_regions().mutex);
  return finish(std::make_shared<Overlay>(std::move(*range), std::move(file.file)),
                std::move(state), memory_id, file);
}

Result<std::shared_ptr<Memory>> Memory::in(Domain& domain, std::uint16_t memory_id,
                                           ExternalFile external, abi::nmreq_pools_info wanted) {
  const std::uint64_t bytes = wanted.nr_memsize = external.status.bytes;
  const auto divided = divide(wanted);
  if (!divided) return std::unexpected(divided.error());
  if (auto reserved = os::reserve(external.file, 0, bytes); !reserved) {
    return std::unexpected(cannot("reserve '" + external.path + "'", reserved.error()));
  }
  auto made = make_region(domain, memory_id, 0, *divided);
  if (!made) return std::unexpected(made.error());
  auto& [file, state] = *made;
  auto done = name_file(state_in(state), external);
  if (done) done = claim_region(file, state_in(state));
  if (!done) return std::unexpected(done.error());
  auto pools = map_pools(std::move(external.file), bytes, external.path);
  if (!pools) return std::unexpected(pools.error());
  const std::scoped_lock only(open_regions().mutex);
  return finish(std::move(*pools), std::move(state), memory_id, file);
}

std::shared_ptr<Memory> Memory::find(const Domain& domain, std::span<std::byte> bytes) {
  const std::scoped_lock only(open_regions().mutex);
  for (const auto& [key, region] : open_regions().regions) {
    auto memory = region.lock();
    if (!memory || memory->region_->bytes().data() != bytes.data()) continue;
    if (memory->region_->bytes().size() != bytes.size()) continue;
    if (memory->name_ == path_of(domain, memory->memory_id_)) return memory;
  }
  return nullptr;
}

bool Memory::is_in(const os::FileStatus& file) const noexcept {
  return state_->file[0] != '\0' && is_file_of(*state_, file);
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

Memory::Memory(std::shared_ptr<Region> region, os::Mapping state, const Pools& pools,
               std::uint16_t memory_id, std::string name)
    : region_(std::move(region)),
      state_mapping_(std::move(state)),
      state_(&state_in(state_mapping_)),
      pools_(pools),
      memory_id_(memory_id),
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
  return exhausted("interfaces");
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
  if (first + count > pools_.rings.objects) return exhausted("rings");
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
  for (std::uint32_t index = 0; index != pools_.buffers.objects && taken.size() != count; ++index) {
    if (!state_->buffers.test(index)) taken.push_back(index);
  }
  if (taken.size() != count) return exhausted("buffers");
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
