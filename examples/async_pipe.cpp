// SPDX-License-Identifier: BSD-2-Clause
//
// Two coroutines and the two ends of one pipe. The same name opens both: whoever comes first is
// the master. Build with netmap::asio.
#include <netmap/asio.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

namespace net = netmap::net;
using net::use_awaitable;

net::awaitable<void> send(netmap::AsyncTxRing& ring, int count) {
  net::steady_timer timer(co_await net::this_coro::executor);
  for (int n = 0; n != count; ++n) {
    const std::string packet = "packet " + std::to_string(n);
    co_await ring.async_send(net::buffer(packet), use_awaitable);
    timer.expires_after(std::chrono::milliseconds(10));
    co_await timer.async_wait(use_awaitable);
  }
}

net::awaitable<void> receive(netmap::AsyncRxRing& ring, int count) {
  std::array<char, 2048> packet{};
  for (int n = 0; n != count; ++n) {
    const std::size_t size = co_await ring.async_receive(net::buffer(packet), use_awaitable);
    std::printf("received %.*s\n", static_cast<int>(size), packet.data());
  }
}

int main() {
  net::io_context context;
  auto one = netmap::AsyncPort::open(context.get_executor(), "netmap:pipe{myasyncpipe}");
  auto other = netmap::AsyncPort::open(context.get_executor(), "netmap:pipe{myasyncpipe}");
  if (!one || !other) return std::puts((one ? other : one).error().message().c_str()), 1;

  const auto fail = [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  };
  net::co_spawn(context, send(one->tx_rings()[0], 5), fail);
  net::co_spawn(context, receive(other->rx_rings()[0], 5), fail);
  context.run();
}
