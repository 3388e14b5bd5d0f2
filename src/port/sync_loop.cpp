// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/sync_loop.hpp>

#include "device/device.hpp"
#include "port/csb_device.hpp"
#include "port/layout.hpp"
#include "port/request.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

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

namespace {

abi::nmreq_sync_kloop_start pausing(std::chrono::microseconds pause) {
  using std::chrono::microseconds;
  abi::nmreq_sync_kloop_start body{};
  body.sleep_us = static_cast<std::uint32_t>(
      std::clamp(pause, microseconds(0), microseconds(UINT32_MAX)).count());
  return body;
}

/// An option with the descriptors behind it, as the device reads it.
std::vector<std::uint64_t> eventfds_option(std::span<const abi::EventFds> events) {
  using Option = abi::nmreq_opt_sync_kloop_eventfds;
  static_assert(sizeof(Option) % sizeof(std::uint64_t) == 0 &&
                sizeof(abi::EventFds) == sizeof(std::uint64_t));
  std::vector<std::uint64_t> words(sizeof(Option) / sizeof(std::uint64_t) + events.size());
  auto& option = *reinterpret_cast<Option*>(words.data());
  option.nro_opt.nro_size = words.size() * sizeof(std::uint64_t);
  std::ranges::copy(events, abi::event_fds_of(option));
  return words;
}

}  // namespace

Result<> SyncLoop::run(std::chrono::microseconds pause) {
  auto body = pausing(pause);
  auto header = make_request(abi::request::sync_kloop_start, "", &body);
  return device_->control(header);
}

Result<> SyncLoop::run(std::span<const abi::EventFds> events, std::uint32_t mode,
                       std::chrono::microseconds pause) {
  auto body = pausing(pause);
  auto header = make_request(abi::request::sync_kloop_start, "", &body);
  auto words = eventfds_option(events);
  auto& descriptors = *reinterpret_cast<abi::nmreq_option*>(words.data());
  if (!events.empty()) add_option(header, descriptors, abi::option::sync_kloop_eventfds);
  abi::nmreq_opt_sync_kloop_mode how{};
  how.mode = mode;
  if (mode != 0) add_option(header, how.nro_opt, abi::option::sync_kloop_mode);
  if (auto done = device_->control(header); !done) return done;
  if (descriptors.nro_status == 0 && how.nro_opt.nro_status == 0) return {};
  return std::unexpected(
      Error(errc::not_supported, "this device's sync loops know no eventfds; run them without"));
}

Result<> SyncLoop::stop() {
  auto header = make_request(abi::request::sync_kloop_stop, "", nullptr);
  return device_->control(header);
}

}  // namespace netmap
