// SPDX-License-Identifier: BSD-2-Clause
//
// What the library's own devices share: mapped regions, and the choice of a device.
//
// A new device is a folder beside this file and a line in registry.cpp.
#pragma once

#include <netmap/device.hpp>
#include <netmap/port.hpp>

#include "device/external_range.hpp"
#include "os/os.hpp"

#include <memory>
#include <span>
#include <string>
#include <utility>

namespace netmap {

/// The memory of one memory id; there is at most one such mapping per process, shared by all ports
/// of that id. Keeps the descriptor through which it was mapped.
class Region {
 public:
  Region(os::Mapping mapping, os::File file)
      : file_(std::move(file)), mapping_(std::move(mapping)), bytes_(mapping_.bytes()) {}
  /// Of the program's own memory, which stays.
  Region(std::shared_ptr<const RangeClaim> range, os::File file)
      : file_(std::move(file)), range_(std::move(range)), bytes_(range_->bytes()) {}
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] const os::File& file() const noexcept { return file_; }

 private:
  os::File file_;  // netmap's memory is unmapped before its descriptor is closed
  os::Mapping mapping_;
  std::shared_ptr<const RangeClaim> range_;
  std::span<std::byte> bytes_;
};

/// Tells the ring's user the time of day.
void stamp_time(abi::netmap_ring& ring) noexcept;

/// A fresh descriptor of the device that has ports of this name, and otherwise of the one that
/// `options` choose; also says which kind that is.
struct OpenDevice {
  std::unique_ptr<Device> device;
  DeviceKind kind;
  std::string domain;  ///< of the embedded device, else empty
};
[[nodiscard]] Result<OpenDevice> open_device(const DeviceOptions& options,
                                             const PortName& name = {});

}  // namespace netmap
