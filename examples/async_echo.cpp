// SPDX-License-Identifier: BSD-2-Clause
//
// One end of a pipe sends back what it gets, in batches; the other counts what comes home.
#include <netmap/asio.hpp>

#include <array>
#include <cstdio>
#include <exception>
#include <vector>

namespace net = netmap::net;
using net::use_awaitable;

/// Packets go from the rx ring to the tx ring without being copied more than once.
net::awaitable<void> echo(netmap::AsyncPort& port) {
  auto& rx = port.rx_rings()[0];
  auto& tx = port.tx_rings()[0];
  std::vector<std::vector<net::const_buffer>> packets;
  for (;;) {
    const netmap::Batch batch = co_await rx.async_receive_batch(256, use_awaitable);
    packets.clear();
    for (const netmap::Packet& packet : batch.packets()) {
      auto& parts = packets.emplace_back();
      for (const netmap::RxSlot slot : packet.fragments()) {
        parts.emplace_back(slot.bytes().data(), slot.bytes().size());
      }
    }
    co_await tx.async_send_batch(std::span(packets), use_awaitable);
  }
}

net::awaitable<void> call(netmap::AsyncPort& port, int count) {
  std::array<std::byte, 60> packet{};
  for (int n = 0; n != count; ++n) {
    packet[0] = static_cast<std::byte>(n);
    co_await port.tx_rings()[0].async_send(net::buffer(packet), use_awaitable);
    co_await port.rx_rings()[0].async_receive(net::buffer(packet), use_awaitable);
    if (packet[0] != static_cast<std::byte>(n)) throw std::runtime_error("the wrong echo");
  }
  std::printf("%d packets came back\n", count);
}

int main() {
  net::io_context context;
  auto server = netmap::AsyncPort::open(context.get_executor(), "netmap:echo{1");
  auto client = netmap::AsyncPort::open(context.get_executor(), "netmap:echo}1");
  if (!server || !client) return std::puts((server ? client : server).error().message().c_str()), 1;

  net::co_spawn(context, echo(*server), net::detached);
  net::co_spawn(context, call(*client, 1000), [&](std::exception_ptr failure) {
    server->close();  // ends the echo
    if (failure) std::rethrow_exception(failure);
  });
  context.run();
}
