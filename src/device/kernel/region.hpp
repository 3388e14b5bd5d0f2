// SPDX-License-Identifier: BSD-2-Clause
//
// The module's memory, mapped once for each memory id.
#pragma once

#include "device/device.hpp"

#include <cstdint>
#include <memory>

namespace netmap::kernel {

/// The region of a memory id that some port of this process holds. It is mapped through a null port
/// on a descriptor of its own: a mapping keeps the port it was made through registered, even after
/// that port is closed. Fails with the module's errno.
[[nodiscard]] Result<std::shared_ptr<Region>> map_region(std::uint16_t memory_id);

}  // namespace netmap::kernel
