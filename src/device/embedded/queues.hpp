// SPDX-License-Identifier: BSD-2-Clause
//
// What opening an interface takes beside records: its queues, for which the kernel is waited for.
#pragma once

#include "device/embedded/endpoint.hpp"
#include "device/embedded/nic.hpp"

#include <cstdint>

namespace netmap::embedded {

/// Gives an endpoint that is recorded its queues, and empty rings for them. Others have the lock
/// while it waits.
Result<> take_queues(Domain& domain, Domain::Lock& lock, Binding& binding, const NicRequest& asked);

/// Packets move from here on. `offset` is where the endpoint's netmap_if is, bytes into the region.
Result<> start_queues(Binding& binding, std::uint64_t offset);

}  // namespace netmap::embedded
