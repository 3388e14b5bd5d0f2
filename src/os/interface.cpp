// SPDX-License-Identifier: BSD-2-Clause
#include "os/interface.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/socket.h>

namespace netmap::os {
namespace {

/// Those in use; drivers that do not say have one. An interface that is there, but not its device,
/// which is being reset, is down.
Outcome<ethtool_channels> channels_of(const File& socket, ifreq& request) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  request.ifr_data = reinterpret_cast<char*>(&channels);
  const auto told = ioctl(socket.fd(), SIOCETHTOOL, &request);
  if (!told && told.error() == std::errc::no_such_device) return failure(ENETDOWN);
  if (!told && told.error() != std::errc::operation_not_supported) {
    return std::unexpected(told.error());
  }
  if (!told) channels.combined_count = 1;
  return channels;
}

}  // namespace

Outcome<Interface> look_at_interface(const std::string& name) {
  if (name.size() >= IFNAMSIZ) return failure(ENODEV);
  const File socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return failure();
  Interface found{};
  socklen_t size = sizeof found.network;
  if (::getsockopt(socket.fd(), SOL_SOCKET, SO_NETNS_COOKIE, &found.network, &size) != 0) {
    return failure();
  }
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (auto done = ioctl(socket.fd(), SIOCGIFINDEX, &request); !done) {
    return std::unexpected(done.error());
  }
  found.index = static_cast<std::uint32_t>(request.ifr_ifindex);
  if (auto done = ioctl(socket.fd(), SIOCGIFMTU, &request); !done) {
    return std::unexpected(done.error());
  }
  found.mtu = static_cast<std::uint32_t>(request.ifr_mtu);
  const auto channels = channels_of(socket, request);
  if (!channels) return std::unexpected(channels.error());
  found.rx_queues = std::max(channels->combined_count + channels->rx_count, 1U);
  found.tx_queues = std::max(channels->combined_count + channels->tx_count, 1U);
  return found;
}

bool has_interface(std::uint32_t index) noexcept {
  std::array<char, IFNAMSIZ> name{};
  return ::if_indextoname(index, name.data()) != nullptr || errno != ENXIO;
}

}  // namespace netmap::os
