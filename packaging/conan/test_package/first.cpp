// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/netmap.hpp>

#include <array>
#include <cstdio>

int main() {
  auto left = netmap::open("netmap:first{1");
  auto right = netmap::open("netmap:first}1");
  if (!left || !right) return std::puts((left ? right : left).error().message().c_str()), 1;
  const bool sent = left->tx_rings()[0].send(std::array<std::byte, 60>{}).has_value();
  left->sync_tx();
  right->sync_rx();
  const auto packets = right->rx_rings()[0].packets();
  const bool received = packets.begin() != packets.end();
  std::puts(sent && received ? "one packet sent, one received" : "the packet was lost");
  return sent && received ? 0 : 1;
}
