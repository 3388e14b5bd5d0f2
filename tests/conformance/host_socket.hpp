// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "conformance/ethernet.hpp"

#include <array>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace netmap::conformance {

/// A port of the host's own stack on one interface, for frames of ours.
class HostSocket {
 public:
  explicit HostSocket(const std::string& interface)
      : fd_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ether_type))) {
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ether_type);
    at.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    const timeval limit{patience.count(), 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
      throw std::runtime_error("cannot bind a packet socket to " + interface);
    }
  }
  HostSocket(const HostSocket&) = delete;
  HostSocket& operator=(const HostSocket&) = delete;
  ~HostSocket() { ::close(fd_); }

  void send(std::span<const std::byte> packet) const {
    ASSERT_EQ(::send(fd_, packet.data(), packet.size(), 0), std::ssize(packet));
  }
  /// The next frame that came in, of those that frame() made.
  [[nodiscard]] std::optional<std::uint32_t> receive() const {
    std::array<std::byte, 2048> packet{};
    for (;;) {
      sockaddr_ll from{};
      socklen_t size = sizeof from;
      const auto bytes = ::recvfrom(fd_, packet.data(), packet.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &size);
      if (bytes < 0) return {};
      if (from.sll_pkttype == PACKET_OUTGOING) continue;
      return number_in_frame(std::span(packet).first(static_cast<std::size_t>(bytes)));
    }
  }

 private:
  int fd_;
};

}  // namespace netmap::conformance
