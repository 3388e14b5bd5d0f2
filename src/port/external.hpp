// SPDX-License-Identifier: BSD-2-Clause
//
// External memory, made a region before a port is opened in it.
#pragma once

#include <netmap/port.hpp>

#include "device/device.hpp"

#include <cstdint>
#include <memory>

namespace netmap {

/// A region that exists as long as this, or a port in it.
struct External {
  std::shared_ptr<Region> region;
  std::unique_ptr<Device> window;  ///< registered to a null port of it
  std::uint16_t memory_id;
};

/// The external memory that name or options ask for; null if they do not.
[[nodiscard]] Result<std::shared_ptr<External>> open_external(const PortName& name,
                                                              const PortOptions& options);

}  // namespace netmap
