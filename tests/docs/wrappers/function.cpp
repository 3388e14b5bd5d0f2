// SPDX-License-Identifier: BSD-2-Clause
// The body of a function that has some ports open.
#include <netmap/netmap.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

using namespace std::chrono_literals;

void handle(std::span<std::byte> packet);

netmap::Result<> function(netmap::Port& port, netmap::Port& left, netmap::Port& right,
                          netmap::RxRing& rx, netmap::TxRing& tx,
                          std::span<const std::byte> headers, std::span<const std::byte> payload) {
  //: here
  return {};
}
