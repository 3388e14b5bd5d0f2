// SPDX-License-Identifier: BSD-2-Clause
//
// A port of several rings on several threads: each ring is opened by itself, and has a coroutine
// that runs wherever the pool has a thread for it. Rings share nothing, so nothing is locked.
#include <netmap/asio.hpp>

#include <array>
#include <cstdio>
#include <exception>
#include <future>
#include <span>
#include <stdexcept>
#include <vector>

namespace net = netmap::net;
using net::use_awaitable;

net::awaitable<std::size_t> receive(netmap::AsyncRxRing& ring, std::size_t count) {
  std::size_t received = 0;
  while (received != count) {
    const netmap::Batch batch = co_await ring.async_receive_batch(use_awaitable);
    for ([[maybe_unused]] const netmap::Packet& packet : batch.packets()) ++received;
  }
  co_return received;
}

net::awaitable<void> send(netmap::AsyncTxRing& ring, std::size_t count) {
  const std::array<std::byte, 60> packet{};
  const std::vector<net::const_buffer> packets(count, net::buffer(packet));
  co_await ring.async_send_batch(std::span(packets), use_awaitable);
}

/// Each in a strand of its own: one thread at a time uses it.
std::vector<netmap::AsyncPort> open_rings(net::thread_pool& pool, const char* name) {
  auto ports = netmap::open_each_ring(name, {.conf = {.tx_rings = 4, .rx_rings = 4}});
  if (!ports) throw std::runtime_error(ports.error().message());
  std::vector<netmap::AsyncPort> rings;
  for (netmap::Port& port : *ports) {
    auto ring = netmap::AsyncPort::make(net::make_strand(pool), std::move(port));
    if (!ring) throw std::runtime_error(ring.error().message());
    rings.push_back(std::move(*ring));
  }
  return rings;
}

int main() {
  net::thread_pool pool(2);
  auto senders = open_rings(pool, "netmap:rings{1");
  auto receivers = open_rings(pool, "netmap:rings}1");

  std::vector<std::future<std::size_t>> received;
  for (netmap::AsyncPort& port : receivers) {
    received.push_back(
        net::co_spawn(port.get_executor(), receive(port.rx_rings()[0], 10'000), net::use_future));
  }
  for (netmap::AsyncPort& port : senders) {
    net::co_spawn(port.get_executor(), send(port.tx_rings()[0], 10'000),
                  [](std::exception_ptr failure) {
                    if (failure) std::rethrow_exception(failure);
                  });
  }
  for (std::size_t ring = 0; ring != received.size(); ++ring) {
    std::printf("ring %zu: %zu packets\n", ring, received[ring].get());
  }
  pool.join();
}
