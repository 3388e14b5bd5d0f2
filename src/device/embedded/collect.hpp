// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "device/embedded/domain.hpp"

namespace netmap::embedded {

/// Gives back all that belongs to nobody: endpoints whose bell nobody holds, because they were
/// closed or their process died; pipes without an endpoint; regions without either; and what a
/// process had taken that died with the lock, before it could say so in a record. May be repeated
/// after a crash in the middle. Under the domain's lock. Fails with region_damaged if a record
/// cannot be.
Result<> collect(Domain& domain);

/// Whether a port or a pipe lives in the region.
[[nodiscard]] bool is_used(const DomainState& state, std::uint16_t memory_id);

}  // namespace netmap::embedded
