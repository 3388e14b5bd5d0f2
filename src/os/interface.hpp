// SPDX-License-Identifier: BSD-2-Clause
//
// What the kernel says of a network interface.
#pragma once

#include "os/os.hpp"

#include <cstdint>
#include <string>

namespace netmap::os {

struct Interface {
  std::uint64_t network;  ///< its network namespace, told from all others since the system started
  std::uint32_t index;    ///< in that
  std::uint32_t rx_queues;
  std::uint32_t tx_queues;
  std::uint32_t mtu;
};
/// One of the calling thread's network namespace. Fails with no_such_device.
[[nodiscard]] Outcome<Interface> look_at_interface(const std::string& name);

/// Whether it has one of that index.
[[nodiscard]] bool has_interface(std::uint32_t index) noexcept;

}  // namespace netmap::os
