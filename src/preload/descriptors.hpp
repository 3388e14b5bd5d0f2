// SPDX-License-Identifier: BSD-2-Clause
//
// What this process's descriptors are, and the core, once there is something for it to do.
#pragma once

#include "preload/core.hpp"

namespace netmap::preload {

extern constinit Descriptors descriptors;

/// Whether no descriptor was ever anything but `other`, so that nobody need look.
[[nodiscard]] bool is_idle() noexcept;

/// Loads it if need be. Null, with errno, if that fails; then it has been said why.
[[nodiscard]] const Core* core() noexcept;

/// Looks what a descriptor is that came from another process, or from the program before this one.
void meet(int fd) noexcept;

/// Whether this is a child of vfork(2), which has its parent's memory: what it closes is not closed
/// there.
[[nodiscard]] bool is_borrowed_memory() noexcept;

}  // namespace netmap::preload
