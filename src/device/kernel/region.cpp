// SPDX-License-Identifier: BSD-2-Clause
#include "device/kernel/region.hpp"

#include "device/kernel/control.hpp"
#include "port/request.hpp"

#include <mutex>
#include <string>
#include <unordered_map>

namespace netmap::kernel {
namespace {

Result<std::shared_ptr<Region>> make_region(std::uint16_t memory_id) {
  auto file = open_file();
  if (!file) return std::unexpected(file.error());
  abi::nmreq_register null_port{};
  null_port.nr_mode = abi::mode::null;
  null_port.nr_mem_id = memory_id;
  auto header = make_request(abi::request::port_register, "map", &null_port);
  if (auto opened = control(*file, header); !opened) return std::unexpected(opened.error());
  auto mapping = os::map(*file, null_port.nr_memsize);
  if (!mapping) {
    return std::unexpected(
        Error(mapping.error(), "cannot map the " + std::to_string(null_port.nr_memsize) +
                                   " bytes of memory id " + std::to_string(memory_id) + ": " +
                                   mapping.error().message()));
  }
  return std::make_shared<Region>(std::move(*mapping), std::move(*file));
}

struct KnownRegions {
  std::mutex mutex;
  std::unordered_map<std::uint16_t, std::weak_ptr<Region>> regions;
};

KnownRegions& known_regions() {
  static KnownRegions regions;
  return regions;
}

}  // namespace

Result<std::shared_ptr<Region>> map_region(std::uint16_t memory_id) {
  const std::scoped_lock only(known_regions().mutex);
  auto& known = known_regions().regions[memory_id];
  if (auto region = known.lock()) return region;
  auto region = make_region(memory_id);
  if (region) known = *region;
  return region;
}

std::shared_ptr<Region> know_region(std::uint16_t memory_id, std::shared_ptr<Region> region) {
  const std::scoped_lock only(known_regions().mutex);
  auto& known = known_regions().regions[memory_id];
  if (auto earlier = known.lock()) return earlier;
  known = region;
  return region;
}

}  // namespace netmap::kernel
