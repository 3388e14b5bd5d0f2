// SPDX-License-Identifier: BSD-2-Clause
//
// A TCP server and a netmap port in one event loop: what a client writes goes out as packets, what
// arrives as packets the client reads.
#include <netmap/asio.hpp>

#include <array>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

namespace net = netmap::net;
using net::use_awaitable;
using net::ip::tcp;

net::awaitable<void> copy_in(tcp::socket& client, netmap::AsyncTxRing& tx) {
  std::array<char, 1500> bytes{};
  for (;;) {
    const auto size = co_await client.async_read_some(net::buffer(bytes), use_awaitable);
    co_await tx.async_send(net::buffer(bytes, size), use_awaitable);
  }
}

net::awaitable<void> copy_out(netmap::AsyncRxRing& rx, tcp::socket& client) {
  std::array<char, 2048> bytes{};
  for (;;) {
    const auto size = co_await rx.async_receive(net::buffer(bytes), use_awaitable);
    co_await net::async_write(client, net::buffer(bytes, size), use_awaitable);
  }
}

/// The other end of the pipe, and of the world.
net::awaitable<void> answer(netmap::AsyncPort& port) {
  std::array<char, 2048> packet{};
  const auto size = co_await port.rx_rings()[0].async_receive(net::buffer(packet), use_awaitable);
  const std::string reply = "you said " + std::string(packet.data(), size);
  co_await port.tx_rings()[0].async_send(net::buffer(reply), use_awaitable);
}

net::awaitable<void> ask(tcp::socket& socket, tcp::endpoint server) {
  co_await socket.async_connect(server, use_awaitable);
  co_await net::async_write(socket, net::buffer("hello", 5), use_awaitable);
  std::array<char, 14> reply{};
  co_await net::async_read(socket, net::buffer(reply), use_awaitable);
  std::printf("%.*s\n", static_cast<int>(reply.size()), reply.data());
}

int main() {
  net::io_context context;
  auto port = netmap::AsyncPort::open(context.get_executor(), "netmap:tcp{1");
  auto world = netmap::AsyncPort::open(context.get_executor(), "netmap:tcp}1");
  if (!port || !world) return std::puts((port ? world : port).error().message().c_str()), 1;

  tcp::acceptor acceptor(context, tcp::endpoint(net::ip::address_v4::loopback(), 0));
  tcp::socket accepted(context);
  tcp::socket client(context);
  const auto fail = [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  };
  acceptor.async_accept(accepted, [&](netmap::AsioError error) {
    if (error) throw std::runtime_error(error.message());
    net::co_spawn(context, copy_in(accepted, port->tx_rings()[0]), fail);
    net::co_spawn(context, copy_out(port->rx_rings()[0], accepted), fail);
  });
  net::co_spawn(context, answer(*world), fail);
  net::co_spawn(context, ask(client, acceptor.local_endpoint()), [&](std::exception_ptr failure) {
    context.stop();
    if (failure) std::rethrow_exception(failure);
  });
  context.run();
}
