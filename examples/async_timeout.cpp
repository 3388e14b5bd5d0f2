// SPDX-License-Identifier: BSD-2-Clause
//
// Receives until nothing has come for a while: whichever of the packet and the timer is first
// cancels the other. A packet is never lost to that: it is taken only if the receive completes.
#include <netmap/asio.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>

#if defined(NETMAP_BOOST_ASIO)
#include <boost/asio/experimental/awaitable_operators.hpp>
#else
#include <asio/experimental/awaitable_operators.hpp>
#endif

namespace net = netmap::net;
using net::use_awaitable;
using namespace std::chrono_literals;

/// Nothing if no packet came in time.
net::awaitable<std::optional<std::size_t>> receive_within(netmap::AsyncRxRing& ring,
                                                          net::mutable_buffer into,
                                                          std::chrono::nanoseconds limit) {
  using namespace net::experimental::awaitable_operators;
  net::steady_timer timer(ring.get_executor(), limit);
  netmap::AsioError error;  // thrown, it would not end the wait for the timer
  const auto first =
      co_await (ring.async_receive(into, net::redirect_error(use_awaitable, error)) ||
                timer.async_wait(use_awaitable));
  if (first.index() == 1) co_return std::nullopt;
  if (error) throw std::runtime_error(error.message());
  co_return std::get<0>(first);
}

net::awaitable<void> receive_all(netmap::AsyncPort& port) {
  std::array<std::byte, 2048> packet{};
  int count = 0;
  while (co_await receive_within(port.rx_rings()[0], net::buffer(packet), 50ms)) ++count;
  std::printf("%d packets, then silence\n", count);
}

int main() {
  net::io_context context;
  auto sender = netmap::AsyncPort::open(context.get_executor(), "netmap:timeout{1");
  auto receiver = netmap::AsyncPort::open(context.get_executor(), "netmap:timeout}1");
  if (!sender || !receiver) {
    return std::puts((sender ? receiver : sender).error().message().c_str()), 1;
  }
  const std::array<std::byte, 60> packet{};
  for (int n = 0; n != 3; ++n) {
    sender->tx_rings()[0].async_send(net::buffer(packet), net::detached);
  }
  net::co_spawn(context, receive_all(*receiver), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  context.run();
}
