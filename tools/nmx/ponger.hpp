// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "addresses.hpp"
#include "traffic.hpp"

#include <netmap/netmap.hpp>

#include <atomic>
#include <cstdint>

namespace nmx {

/// Sends back what comes in on a port, buffer and all. UDP over IPv4 is taken for a ping; whatever
/// else comes is given up, so that a network's own talk is not answered. Nothing is answered
/// before the tx ring has room for it.
class Ponger {
 public:
  /// `own`: where answers come from that were asked of everybody.
  Ponger(netmap::Port& port, const MacAddress& own, std::uint64_t count)
      : port_(&port), own_(own), left_(count) {}

  /// Answers until the count is reached or it is stopped.
  netmap::Result<> run(Counters& counters);
  /// Packets that were no pings. Any thread may ask.
  [[nodiscard]] std::uint64_t ignored() const { return ignored_.load(std::memory_order_relaxed); }

 private:
  netmap::Result<> answer(Counters& counters);
  netmap::Result<> answer(netmap::RxRing& rx, netmap::TxRing& tx, Counters& counters);
  std::size_t turn_round_pings(const netmap::RxRing& rx, const netmap::TxRing& tx) const;
  std::size_t drop_others(netmap::RxRing& rx, const netmap::TxRing& tx);
  netmap::Result<> wait();
  [[nodiscard]] netmap::TxRing& opposite(std::size_t rx_ring);

  netmap::Port* port_;
  MacAddress own_;
  std::uint64_t left_;
  std::atomic<std::uint64_t> ignored_ = 0;
};

}  // namespace nmx
