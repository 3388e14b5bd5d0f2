// SPDX-License-Identifier: BSD-2-Clause
//
// Counts what arrives at a port until a second passes in silence, or a capture ends:
//
//     example_count 'netmap:x}1'  &  nmx gen 'netmap:x{1' -n 1000
//     example_count pcap:FILE
#include <netmap/netmap.hpp>

#include <chrono>
#include <cstdio>

namespace {

int fail(const netmap::Error& error) {
  std::fprintf(stderr, "%s\n", error.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s PORT\n", argv[0]);
    return 2;
  }
  auto port = netmap::open(argv[1]);
  if (!port) return fail(port.error());

  for (;;) {
    const auto ready = port->wait(netmap::Direction::rx, std::chrono::seconds(1));
    if (!ready && ready.error() == netmap::errc::end_of_capture) break;
    if (!ready) return fail(ready.error());
    if (ready->empty()) break;
    for (netmap::RxRing& ring : port->rx_rings()) {
      const auto packets = ring.packets();
      if (auto released = ring.release(packets.end()); !released) return fail(released.error());
    }
  }
  const auto received = port->stats().rx;
  std::printf("%llu packets, %llu bytes\n", static_cast<unsigned long long>(received.packets),
              static_cast<unsigned long long>(received.bytes));
}
