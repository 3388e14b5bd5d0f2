// SPDX-License-Identifier: BSD-2-Clause
#define NETMAP_BOOST_ASIO
#include "both_asio/exchange.hpp"

std::uint64_t exchange_by_boost(const netmap::PortOptions& options, std::uint64_t sent) {
  return netmap::exchange(options, sent);
}
