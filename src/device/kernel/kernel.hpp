// SPDX-License-Identifier: BSD-2-Clause
//
// The device of the netmap kernel module: /dev/netmap, netmap(4).
#pragma once

#include "device/device.hpp"

namespace netmap::kernel {

/// Whether the module is loaded.
[[nodiscard]] bool is_present() noexcept;

[[nodiscard]] Result<OpenDevice> open_device(const DeviceOptions& options, const PortName&);

/// A Device around a descriptor that somebody else has registered to `name`.
[[nodiscard]] std::unique_ptr<Device> adopt(os::File file, const std::string& name,
                                            const abi::nmreq_register& registered);

}  // namespace netmap::kernel
