// SPDX-License-Identifier: BSD-2-Clause
//
// Two threads and the two ends of a pipe: each end is a port, and each thread has its own. One
// sends many numbers; when the ring is full it sleeps until there is room, so none is lost.
//
//     example_pipe_threads
#include <netmap/netmap.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <future>
#include <span>

using netmap::Direction;

constexpr std::uint32_t count = 200'000;

/// As many as fit, then a sync for all of them, then the next.
void send_numbers(netmap::Port& port) {
  netmap::TxRing& ring = port.tx_rings()[0];
  for (std::uint32_t next = 0; next != count;) {
    if (port.wait(Direction::tx, std::chrono::seconds(5)).value().empty()) return;
    while (next != count && ring.send(std::as_bytes(std::span(&next, 1)))) ++next;
    port.sync_tx().value();
  }
}

/// How many numbers came in order.
std::uint32_t receive_numbers(netmap::Port& port) {
  std::uint32_t expected = 0;
  while (expected != count) {
    if (port.wait(Direction::rx, std::chrono::seconds(5)).value().empty()) break;
    port.rx_rings()[0].for_each([&](const netmap::Packet& packet) {
      std::uint32_t number = 0;
      std::memcpy(&number, packet.front().data(), std::min(sizeof number, packet.front().size()));
      if (number == expected) ++expected;
    });
  }
  return expected;
}

int main() try {
  auto left = netmap::open("netmap:threads{1").value();
  auto right = netmap::open("netmap:threads}1").value();
  auto sending = std::async(std::launch::async, [&] { send_numbers(left); });
  const std::uint32_t received = receive_numbers(right);
  sending.get();
  std::printf("%u of %u numbers received, in order\n", received, count);
  return received == count ? 0 : 1;
} catch (const std::bad_expected_access<netmap::Error>& failure) {
  std::fprintf(stderr, "%s\n", failure.error().message().c_str());
  return 1;
}
