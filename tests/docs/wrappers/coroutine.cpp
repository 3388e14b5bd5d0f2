// SPDX-License-Identifier: BSD-2-Clause
// The body of a coroutine.
#include <netmap/asio.hpp>

#include <netmap/forward.hpp>

#include <span>

namespace net = netmap::net;

void handle(std::span<std::byte> packet);

net::awaitable<void> coroutine(net::any_io_executor executor) {
  //: here
}
