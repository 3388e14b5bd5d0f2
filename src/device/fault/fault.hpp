// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/faults.hpp>
#include <netmap/port.hpp>

namespace netmap::fault {

/// A port that shows what `inner` has, and suffers `faults` on the way. Fails with
/// invalid_argument if a probability is none.
[[nodiscard]] Result<Port> inflict(Port inner, const Faults& faults);

}  // namespace netmap::fault
