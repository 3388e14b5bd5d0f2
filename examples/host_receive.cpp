// SPDX-License-Identifier: BSD-2-Clause
//
// What the host's own stack sends out of an interface. While this runs nothing of that reaches the
// wire, nor what comes in the host; firewall.cpp passes things on. Needs the kernel module: the
// embedded device has no host rings. "eth0^" would be the host rings alone, but where the driver
// has no support for netmap, they show nothing unless the card's are open, too: "eth0*".
//
//     example_host_receive 'eth0*' [COUNT]
#include <netmap/netmap.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

using netmap::Direction;

/// The Ethernet header, and the size.
void print(const netmap::Packet& packet) {
  const auto frame = packet.front();
  if (frame.size() < 14) return;
  const auto byte = [&](std::size_t at) { return std::to_integer<unsigned>(frame[at]); };
  const auto print_address = [&](std::size_t at) {
    for (std::size_t n = 0; n != 6; ++n) std::printf("%s%02x", n == 0 ? "" : ":", byte(at + n));
  };
  print_address(6);
  std::printf(" -> ");
  print_address(0);
  std::printf(" type %02x%02x, %zu bytes\n", byte(12), byte(13), packet.size());
}

int main(int argc, char** argv) try {
  if (argc < 2) return std::fprintf(stderr, "usage: %s PORT* [COUNT]\n", argv[0]), 2;
  auto port = netmap::open(argv[1]).value();
  if (std::ranges::none_of(port.rx_rings(), &netmap::RxRing::is_host)) {
    return std::fprintf(stderr, "'%s' has no host rings; add a * to its name\n", argv[1]), 1;
  }
  std::fprintf(stderr, "receiving\n");
  std::size_t left = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : SIZE_MAX;
  while (left != 0) {
    port.wait(Direction::rx).value();
    for (netmap::RxRing& ring : port.rx_rings()) {
      if (ring.is_host()) {
        left -= ring.for_each(print, left);
      } else {
        ring.for_each([](const netmap::Packet&) {});  // came from the wire
      }
    }
    std::fflush(stdout);
  }
} catch (const std::bad_expected_access<netmap::Error>& failure) {
  std::fprintf(stderr, "%s\n", failure.error().message().c_str());
  return 1;
}
