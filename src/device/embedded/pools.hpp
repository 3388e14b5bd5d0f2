// SPDX-License-Identifier: BSD-2-Clause
//
// How memory is divided into a region's pools.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/error.hpp>

#include "device/embedded/state.hpp"

#include <cstdint>

namespace netmap::embedded {

/// What option::extmem asks for, by the module's rules: its defaults for what is 0; ENOMEM if the
/// memory is too small for that or a number is out of range; and what is left becomes buffers.
[[nodiscard]] Result<Pools> divide(const abi::nmreq_pools_info& asked);

/// Whether every object of such pools is one of a region of so many bytes, and there is one of
/// each. Others may have written them.
[[nodiscard]] bool is_sound(const Pools& pools, std::uint64_t bytes);

/// Slots for which a ring object has room.
[[nodiscard]] std::uint32_t slots_of_ring(const Pools& pools);
/// Rings, both directions and the host's included, that an interface object can list.
[[nodiscard]] std::uint32_t rings_of_interface(const Pools& pools);

/// The answer to request::pools_info_get and option::extmem.
[[nodiscard]] abi::nmreq_pools_info describe(const Pools& pools, std::uint64_t bytes,
                                             std::uint16_t memory_id);

}  // namespace netmap::embedded
