// SPDX-License-Identifier: BSD-2-Clause
//
// Sends a packet through a pipe and yields what arrived. Included by two sources, of which one has
// chosen Boost's Asio.
#pragma once

#include <netmap/asio.hpp>

#include <cstdint>

namespace netmap::inline NETMAP_ASIO_NAMESPACE {

inline std::uint64_t exchange(const PortOptions& options, std::uint64_t sent) {
  net::io_context context;
  auto left = AsyncPort::open(context.get_executor(), "netmap:both{1", options);
  auto right = AsyncPort::open(context.get_executor(), "netmap:both}1", options);
  if (!left || !right) return 0;
  std::uint64_t received = 0;
  right->rx_rings()[0].async_receive(net::buffer(&received, sizeof received), net::detached);
  left->tx_rings()[0].async_send(net::buffer(&sent, sizeof sent), net::detached);
  context.run();
  return received;
}

}  // namespace netmap::inline NETMAP_ASIO_NAMESPACE
