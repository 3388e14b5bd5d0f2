// SPDX-License-Identifier: BSD-2-Clause
//
// The embedded device: netmap as a library, in shared memory files of one domain directory.
#pragma once

#include "device/device.hpp"

namespace netmap::embedded {

[[nodiscard]] Result<OpenDevice> open_device(const DeviceOptions& options, const PortName&);

}  // namespace netmap::embedded
