// SPDX-License-Identifier: BSD-2-Clause
//
// Memory in netmap's layout that one port has to itself, for devices whose rings nobody else sees.
#pragma once

#include "device/device.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace netmap {

struct RingShape {
  std::uint16_t index = 0;  ///< among NIC rings, or among host rings
  bool is_host = false;
  std::uint32_t slots = 0;
};

struct PrivateShape {
  std::string name;
  PortConf conf;                ///< of the whole port
  std::vector<RingShape> tx{};  ///< the rings that are bound
  std::vector<RingShape> rx{};
  std::uint32_t buffer_bytes = abi::pool::buffers.size;
  std::uint32_t extra_buffers = 0;
};

/// Every slot has a buffer; tx slots are free, rx rings empty. The netmap_if is at offset 0.
[[nodiscard]] Result<std::shared_ptr<Region>> make_private_region(const PrivateShape& shape);

}  // namespace netmap
