// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/abi.hpp>

#include "device/device.hpp"
#include "device/embedded/embedded.hpp"
#include "device/kernel/kernel.hpp"
#include "device/pcap/pcap.hpp"

#include <array>

namespace netmap {
namespace {

struct Entry {
  DeviceKind kind;
  std::string_view name;
  Result<OpenDevice> (*open)(const DeviceOptions&, const PortName&);
};

constexpr std::array registry{
    Entry{DeviceKind::kernel, "kernel", kernel::open_device},
    Entry{DeviceKind::embedded, "embedded", embedded::open_device},
    Entry{DeviceKind::pcap, "pcap", pcap::open_device},
};

/// A capture's name decides; else what was asked for; else the rule of DeviceKind::automatic. The
/// module is used where it is loaded, even if it then refuses: two programs that believe they share
/// a port must not sit on different devices.
Result<DeviceKind> choose(DeviceKind asked, const PortName& name) {
  if (name.capture) return DeviceKind::pcap;
  if (asked != DeviceKind::automatic) return asked;
  const std::string wanted = os::environment("NETMAP_DEVICE");
  if (wanted.empty()) return kernel::is_present() ? DeviceKind::kernel : DeviceKind::embedded;
  for (const Entry& entry : registry) {
    if (entry.name == wanted) return entry.kind;
  }
  return std::unexpected(
      Error(errc::not_supported,
            "NETMAP_DEVICE is '" + wanted + "', but the devices are 'kernel' and 'embedded'"));
}

}  // namespace

std::string_view to_string(DeviceKind kind) noexcept {
  for (const Entry& entry : registry) {
    if (entry.kind == kind) return entry.name;
  }
  return "automatic";
}

std::string_view to_string(XdpMode mode) noexcept {
  switch (mode) {
    case XdpMode::native: return "native";
    case XdpMode::generic: return "generic";
    case XdpMode::zero_copy: return "zero-copy";
    default: return "automatic";
  }
}

Result<OpenDevice> open_device(const DeviceOptions& options, const PortName& name) {
  const auto kind = choose(options.kind, name);
  if (!kind) return std::unexpected(kind.error());
  for (const Entry& entry : registry) {
    if (entry.kind == *kind) return entry.open(options, name);
  }
  return std::unexpected(Error(errc::not_supported));
}

}  // namespace netmap
