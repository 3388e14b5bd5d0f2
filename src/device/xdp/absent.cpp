// SPDX-License-Identifier: BSD-2-Clause
//
// Stands for the driver where there is no libbpf, or no Linux.
#include "device/xdp/nic.hpp"

namespace netmap::xdp {
namespace {

std::unexpected<Error> absent() {
  return std::unexpected(
      Error(errc::not_supported,
            "interfaces of the embedded device need AF_XDP, which netmapxx was built without; "
            "install libbpf (on Debian libbpf-dev) and build netmapxx again, or use the kernel "
            "device"));
}

}  // namespace

Result<os::Interface> find_interface(const std::string&) {
  return absent();
}

bool has_interface(std::uint32_t) {
  return true;
}

bool fits(const os::Interface&, const Frames&) {
  return true;
}

Result<std::unique_ptr<Nic>> bind(const Claim&) {
  return absent();
}

}  // namespace netmap::xdp
