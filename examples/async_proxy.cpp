// SPDX-License-Identifier: BSD-2-Clause
//
// Two ports become one wire: a coroutine for each way moves packets on, whole batches of them,
// without copying a byte.
#include <netmap/asio.hpp>
#include <netmap/forward.hpp>

#include <array>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace net = netmap::net;
using net::use_awaitable;

net::awaitable<void> forward_all(netmap::AsyncRxRing& from, netmap::AsyncTxRing& to) {
  for (;;) {
    co_await from.async_wait(use_awaitable);
    while (!from.ring().packets().empty()) {
      const auto moved = netmap::forward(from.ring(), to.ring());
      if (!moved) throw std::runtime_error(moved.error().message());
      if (moved->packets == 0) {
        co_await to.async_wait(to.ring().num_slots() / 2, use_awaitable);
      } else {
        co_await to.async_flush(use_awaitable);
      }
    }
  }
}

net::awaitable<void> call_through(netmap::AsyncPort& caller, netmap::AsyncPort& called, int count) {
  std::array<char, 2048> packet{};
  for (int n = 0; n != count; ++n) {
    const int size = std::snprintf(packet.data(), packet.size(), "call %d", n);
    co_await caller.tx_rings()[0].async_send(net::buffer(packet, static_cast<std::size_t>(size)),
                                             use_awaitable);
    co_await called.rx_rings()[0].async_receive(net::buffer(packet), use_awaitable);
  }
  std::printf("%d packets came through, the last is '%s'\n", count, packet.data());
}

int main() {
  net::io_context context;
  const auto open = [&](const char* name) {
    auto port = netmap::AsyncPort::open(context.get_executor(), name);
    if (!port) throw std::runtime_error(port.error().message());
    return std::move(*port);
  };
  auto caller = open("netmap:proxy{1");
  auto called = open("netmap:proxy{2");
  auto left = open("netmap:proxy}1");
  auto right = open("netmap:proxy}2");

  bool is_over = false;
  const auto fail = [&](std::exception_ptr failure) {
    if (failure && !is_over) std::rethrow_exception(failure);
  };
  net::co_spawn(context, forward_all(left.rx_rings()[0], right.tx_rings()[0]), fail);
  net::co_spawn(context, forward_all(right.rx_rings()[0], left.tx_rings()[0]), fail);
  net::co_spawn(context, call_through(caller, called, 1000), [&](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
    is_over = true;
    left.close();  // ends the proxy
    right.close();
  });
  context.run();
}
