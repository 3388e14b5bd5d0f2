// SPDX-License-Identifier: BSD-2-Clause
//
// How regions are made, found and mapped: the domain's own, and external memory.
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

/// The mappings of this process, by file.
struct OpenRegions {
  std::mutex mutex;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::weak_ptr<Memory>> regions;
};

OpenRegions& open_regions() {
  static auto* const regions = new OpenRegions();  // ports may be closed when all else is gone
  return *regions;
}

/// A region's file in the domain.
struct RegionFile {
  std::string name;
  os::File file;
  os::FileStatus status;

  [[nodiscard]] auto key() const { return std::pair{status.device, status.inode}; }
};

Result<RegionFile> open_file(const Domain& domain, std::uint16_t memory_id, int flags = O_CREAT) {
  auto file = domain.open_file(file_name(memory_id), flags);
  if (!file) return std::unexpected(file.error());
  std::string name = path_of(domain, memory_id);
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

/// netmap keeps the first buffers for itself.
Result<> claim_region(const RegionFile& region, RegionState& state) {
  if (state.header.magic == 0) {
    for (std::uint32_t index = 0; index != abi::buffer_index::first_usable; ++index) {
      state.buffers.set(index);
    }
  }
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

/// The region in a file: mapped already, or mapped now.
Result<std::shared_ptr<Memory>> region_in(Result<RegionFile> file, std::uint16_t memory_id) {
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

}  // namespace

Result<std::shared_ptr<Memory>> Memory::of(Domain& domain, std::uint16_t memory_id) {
  return region_in(open_file(domain, memory_id), memory_id);
}

Result<std::shared_ptr<Memory>> Memory::existing(const Domain& domain, std::uint16_t memory_id) {
  return region_in(open_file(domain, memory_id, 0), memory_id);
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

}  // namespace netmap::embedded
