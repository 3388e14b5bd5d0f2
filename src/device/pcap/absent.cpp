// SPDX-License-Identifier: BSD-2-Clause
//
// Stands for the device where there is no libpcap.
#include "device/pcap/pcap.hpp"

namespace netmap::pcap {

Result<OpenDevice> open_device(const DeviceOptions&, const PortName&) {
  return std::unexpected(
      Error(errc::not_supported,
            "captures need libpcap, which netmapxx was built without; install it (on Debian "
            "libpcap-dev) and build netmapxx again"));
}

}  // namespace netmap::pcap
