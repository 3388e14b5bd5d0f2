// SPDX-License-Identifier: BSD-2-Clause
//
// The module's memory, mapped once for each memory id, and the programs' own that it uses.
#pragma once

#include "device/device.hpp"

#include <cstdint>
#include <memory>

namespace netmap::kernel {

/// The region of a memory id that some port of this process holds. It is mapped through a null port
/// on a descriptor of its own: a mapping keeps the port it was made through registered, even after
/// that port is closed. Fails with the module's errno.
[[nodiscard]] Result<std::shared_ptr<Region>> map_region(std::uint16_t memory_id);

/// The region of a memory id that is external memory; `region` if this process had none for it.
[[nodiscard]] std::shared_ptr<Region> know_region(std::uint16_t memory_id,
                                                  std::shared_ptr<Region> region);

}  // namespace netmap::kernel
