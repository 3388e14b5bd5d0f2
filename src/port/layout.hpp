// SPDX-License-Identifier: BSD-2-Clause
//
// Where the rings of a registered port lie in its region. Everything is read once and checked
// against the mapping, so that later only the indices inside the rings need care.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/detail/memory.hpp>
#include <netmap/error.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace netmap {

struct RingPlace {
  abi::netmap_ring* ring;
  detail::Bounds bounds;
  std::uint16_t index;
  bool is_host;
};

struct Layout {
  abi::netmap_if* interface;
  std::vector<RingPlace> tx;
  std::vector<RingPlace> rx;
};

/// Fails with region_damaged. `offset` is nmreq_register::nr_offset; `max_data_offset` what the
/// device answered to a request for data offsets, if there was one.
[[nodiscard]] Result<Layout> find_rings(std::span<std::byte> region, std::uint64_t offset,
                                        std::uint64_t max_data_offset = UINT64_MAX);

}  // namespace netmap
