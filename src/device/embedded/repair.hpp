// SPDX-License-Identifier: BSD-2-Clause
//
// What a process leaves in its rings when it dies, put right for the next user.
#pragma once

#include "device/embedded/domain.hpp"

#include <cstdint>
#include <span>

namespace netmap::embedded {

/// Undoes what the dead had begun to forward and not sent: packets they received, and moved into
/// free slots that they never published, are in the rings they came by again. Afterwards each
/// buffer that a ring of theirs names has one name. What they had released stays so, what they had
/// committed is sent by the next user, and a packet they kept counts as taken.
/// Under the domain's lock, before the records of `dead`, indices of endpoints, are freed.
void repair_rings(Domain& domain, std::span<const std::uint32_t> dead);

}  // namespace netmap::embedded
