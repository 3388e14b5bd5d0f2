// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/pools.hpp"

#include "device/embedded/options.hpp"

#include <algorithm>
#include <string>

namespace netmap::embedded {
namespace {

constexpr std::uint64_t ring_head = ring_in_object + sizeof(abi::netmap_ring);

constexpr std::uint64_t align(std::uint64_t bytes, std::uint64_t to) {
  return (bytes + to - 1) / to * to;
}

/// What may be asked of a pool, and what it is if nothing is: the module's limits, but for what the
/// embedded device needs of a ring and has of objects.
struct Limits {
  const char* what;
  std::uint32_t count, min_count, max_count;
  std::uint32_t size, min_size, max_size;
  std::uint32_t align;
};
constexpr std::uint32_t object_align = abi::pool::object_align;
constexpr Limits interface_limits{"interfaces", 2, 1, 100, 1024, 128, 4096, object_align};
constexpr Limits ring_limits{
    "rings",         4, 2, ring_pool.objects, 20'480, ring_head + abi::cache_align, 131'072,
    abi::cache_align};
constexpr Limits buffer_limits{"buffers", 4098, 4,      buffer_pool.objects,
                               2048,      64,   65'536, object_align};

Result<PoolGeometry> pool(std::uint64_t offset, std::uint32_t count, std::uint32_t size,
                          const Limits& limits) {
  if (count == 0) count = limits.count;
  if (size == 0) size = limits.size;
  if (count < limits.min_count || count > limits.max_count || size < limits.min_size ||
      size > limits.max_size) {
    const auto range = [](std::uint32_t from, std::uint32_t to) {
      return std::to_string(from) + " to " + std::to_string(to);
    };
    return refuse(std::errc::not_enough_memory,
                  "external memory holds " + range(limits.min_count, limits.max_count) + ' ' +
                      limits.what + " of " + range(limits.min_size, limits.max_size) + " bytes");
  }
  return PoolGeometry{align(offset, abi::cache_align), count,
                      static_cast<std::uint32_t>(align(size, limits.align))};
}

/// Whether the objects that are counted are all inside, aligned, and of a size that can be.
bool fits(const PoolGeometry& pool, const Limits& limits, std::uint32_t most, std::uint64_t bytes) {
  return pool.objects >= limits.min_count && pool.objects <= most &&
         pool.object_bytes >= limits.min_size && pool.object_bytes % limits.align == 0 &&
         pool.offset % abi::cache_align == 0 && pool.offset <= bytes &&
         pool.bytes() <= bytes - pool.offset;
}

}  // namespace

Result<Pools> divide(const abi::nmreq_pools_info& asked) {
  const auto interfaces =
      pool(0, asked.nr_if_pool_objtotal, asked.nr_if_pool_objsize, interface_limits);
  if (!interfaces) return std::unexpected(interfaces.error());
  const auto rings = pool(interfaces->bytes(), asked.nr_ring_pool_objtotal,
                          asked.nr_ring_pool_objsize, ring_limits);
  if (!rings) return std::unexpected(rings.error());
  auto buffers = pool(rings->offset + rings->bytes(), asked.nr_buf_pool_objtotal,
                      asked.nr_buf_pool_objsize, buffer_limits);
  if (!buffers) return std::unexpected(buffers.error());
  const std::uint64_t needed = buffers->offset + buffers->bytes();
  if (needed > asked.nr_memsize) {
    return refuse(std::errc::not_enough_memory,
                  "the external memory has " + std::to_string(asked.nr_memsize) +
                      " bytes, but its pools need " + std::to_string(needed) +
                      "; give it more, or ask for fewer or smaller objects");
  }
  buffers->objects = static_cast<std::uint32_t>(std::min<std::uint64_t>(
      (asked.nr_memsize - buffers->offset) / buffers->object_bytes, buffer_limits.max_count));
  return Pools{*interfaces, *rings, *buffers};
}

bool is_sound(const Pools& pools, std::uint64_t bytes) {
  return fits(pools.interfaces, interface_limits, interface_pool.objects, bytes) &&
         fits(pools.rings, ring_limits, ring_pool.objects, bytes) &&
         fits(pools.buffers, buffer_limits, buffer_pool.objects, bytes) &&
         pools.buffers.object_bytes <= buffer_limits.max_size;
}

std::uint32_t slots_of_ring(const Pools& pools) {
  const auto room =
      static_cast<std::uint32_t>((pools.rings.object_bytes - ring_head) / sizeof(abi::netmap_slot));
  return std::min(room, max_slots);
}

std::uint32_t rings_of_interface(const Pools& pools) {
  return static_cast<std::uint32_t>((pools.interfaces.object_bytes - sizeof(abi::netmap_if)) /
                                    sizeof(std::int64_t));
}

abi::nmreq_pools_info describe(const Pools& pools, std::uint64_t bytes, std::uint16_t memory_id) {
  return {.nr_memsize = bytes,
          .nr_mem_id = memory_id,
          .pad1 = {},
          .nr_if_pool_offset = pools.interfaces.offset,
          .nr_if_pool_objtotal = pools.interfaces.objects,
          .nr_if_pool_objsize = pools.interfaces.object_bytes,
          .nr_ring_pool_offset = pools.rings.offset,
          .nr_ring_pool_objtotal = pools.rings.objects,
          .nr_ring_pool_objsize = pools.rings.object_bytes,
          .nr_buf_pool_offset = pools.buffers.offset,
          .nr_buf_pool_objtotal = pools.buffers.objects,
          .nr_buf_pool_objsize = pools.buffers.object_bytes};
}

}  // namespace netmap::embedded
