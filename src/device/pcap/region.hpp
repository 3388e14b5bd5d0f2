// SPDX-License-Identifier: BSD-2-Clause
//
// The memory of a port that shares it with nobody, in netmap's layout: the interface, its rings,
// the buffers.
#pragma once

#include "device/device.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace netmap::pcap {

/// At most one ring each way; no slots are no ring.
struct Shape {
  std::uint32_t tx_slots;
  std::uint32_t rx_slots;
  std::uint32_t extra_buffers;
};

/// The interface is at the region's beginning; the program owns every tx slot and no rx slot. Fails
/// with the system's error if there is not so much memory.
[[nodiscard]] Result<std::shared_ptr<Region>> make_region(const std::string& name,
                                                          const Shape& shape);

}  // namespace netmap::pcap
