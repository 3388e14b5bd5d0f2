// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/abi.hpp>

#include "device/device.hpp"
#include "device/embedded/embedded.hpp"
#include "device/kernel/kernel.hpp"

#include <array>

namespace netmap {
namespace {

struct Entry {
  DeviceKind kind;
  std::string_view name;
  Result<OpenDevice> (*open)(const DeviceOptions&);
};

constexpr std::array registry{
    Entry{DeviceKind::kernel, "kernel", kernel::open_device},
    Entry{DeviceKind::embedded, "embedded", embedded::open_device},
};

/// The rule of DeviceKind::automatic. The module is used where it is loaded, even if it then
/// refuses: two programs that believe they share a port must not sit on different devices.
Result<DeviceKind> choose() {
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

Result<OpenDevice> open_device(const DeviceOptions& options) {
  Result<DeviceKind> kind = options.kind;
  if (kind == DeviceKind::automatic) kind = choose();
  if (!kind) return std::unexpected(kind.error());
  for (const Entry& entry : registry) {
    if (entry.kind == *kind) return entry.open(options);
  }
  return std::unexpected(Error(errc::not_supported));
}

}  // namespace netmap
