// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "device/embedded/domain.hpp"

namespace netmap::embedded {

/// Gives back all that belongs to nobody: endpoints whose bell nobody holds, because they were
/// closed or their process died; pipes without an endpoint; regions without either. May be
/// repeated after a crash in the middle. Under the domain's lock. Fails with region_damaged if a
/// record cannot be.
Result<> collect(Domain& domain);

}  // namespace netmap::embedded
