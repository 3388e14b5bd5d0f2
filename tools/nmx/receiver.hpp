// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "awake.hpp"
#include "budget.hpp"
#include "latencies.hpp"
#include "tally.hpp"
#include "traffic.hpp"

#include <netmap/netmap.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

namespace nmx {

/// One thread's part of nmx recv; threads share budget and tally.
struct ReceiverOptions {
  std::uint32_t batch = 512;
  std::chrono::nanoseconds spin = default_spin;  ///< how long to look again before sleeping
  Budget* budget = nullptr;
  SequenceTally* tally = nullptr;  ///< where numbered packets are checked; null: not checked
  Latencies* latencies = nullptr;  ///< … and where their arrival is noted
};

/// Takes packets from all rx rings of a port.
class Receiver {
 public:
  Receiver(netmap::Port& port, const ReceiverOptions& options);

  /// Receives until the budget is spent or it is stopped.
  netmap::Result<> run(Counters& counters);

 private:
  struct Taken {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
  };

  netmap::Result<std::uint64_t> round(Counters& counters);
  netmap::Result<bool> wait(std::chrono::nanoseconds timeout);
  Taken take(netmap::RxRing& ring, std::uint64_t limit);
  Taken check(netmap::RxRing& ring, std::uint64_t limit);
  [[nodiscard]] Reading read(const netmap::Packet& packet);

  netmap::Port* port_;
  ReceiverOptions options_;
  SequenceReader reader_;
  std::vector<Reading> readings_;
};

}  // namespace nmx
