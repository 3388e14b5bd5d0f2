// SPDX-License-Identifier: BSD-2-Clause
//
// Data offsets, NETMAP_REQ_OPT_OFFSETS: let packets begin somewhere inside their buffers. In a pipe
// a slot's offset travels with its buffer, and a ring remembers what was asked for. An interface
// puts what it receives at one offset, see xdp/frames.hpp, and says so in the slot.
#pragma once

#include "device/embedded/memory.hpp"

#include <netmap/port_name.hpp>

#include <optional>

namespace netmap::embedded {

/// What the option of a registration asks for, if it has one. Fails with EINVAL, and tells the
/// option, if that cannot be.
[[nodiscard]] Result<std::optional<DataOffset>> asked_offset(const abi::nmreq_header& request,
                                                             const Memory& memory);

/// Carries out the option of a registration, if it has one, on the endpoint's rings, and tells it
/// how that went. Rings of a pipe that nobody opened before share it with those of the other end.
/// Fails with EINVAL if what is asked for cannot be, with EBUSY if a ring is in use with less.
[[nodiscard]] Result<> set_offsets(const abi::nmreq_header& request, const DomainState& state,
                                   Memory& memory, const EndpointRecord& endpoint);

}  // namespace netmap::embedded
