// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/sync_loop.hpp>

#include "device/device.hpp"
#include "port/csb_device.hpp"
#include "port/layout.hpp"
#include "port/request.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace netmap {

Result<SyncLoop> SyncLoop::attach(Port& port) {
  const auto cannot = [&](const Error& why) {
    return std::unexpected(
        Error(why.code(), "cannot sync '" + port.info_.name + "' in a loop: " + why.message()));
  };
  const auto* const interface = reinterpret_cast<const std::byte*>(port.interface_);
  const auto region = port.region_->bytes();
  const auto layout = find_rings(region, static_cast<std::uint64_t>(interface - region.data()));
  if (!layout) return cannot(layout.error());
  auto device = std::make_unique<CsbDevice>(std::move(port.device_), *layout);
  if (auto enabled = device->enable(); !enabled) {
    port.device_ = device->release();
    return cannot(enabled.error());
  }
  port.device_ = std::move(device);
  port.set_spin(forever);
  return SyncLoop(*port.device_);
}

Result<> SyncLoop::run(std::chrono::microseconds pause) {
  using std::chrono::microseconds;
  abi::nmreq_sync_kloop_start body{};
  body.sleep_us = static_cast<std::uint32_t>(
      std::clamp(pause, microseconds(0), microseconds(UINT32_MAX)).count());
  auto header = make_request(abi::request::sync_kloop_start, "", &body);
  return device_->control(header);
}

Result<> SyncLoop::stop() {
  auto header = make_request(abi::request::sync_kloop_stop, "", nullptr);
  return device_->control(header);
}

}  // namespace netmap
