// SPDX-License-Identifier: BSD-2-Clause
//
// One trial of nmx rfc2544: numbered packets at a steady rate into one port, counted and timed as
// they come out of another.
#pragma once

#include "histogram.hpp"
#include "packets.hpp"

#include <netmap/netmap.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace nmx {

struct TrialOptions {
  PacketOptions packet;
  double rate = 0;  ///< packets a second, 0 for as many as go
  std::chrono::nanoseconds duration{0};
  std::chrono::nanoseconds settle{0};  ///< once nothing came for so long, what is missing is lost
  std::uint32_t batch = 512;
  std::optional<unsigned> cpu;  ///< of the sender; the receiver has the next
};

struct TrialResult {
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;
  std::uint64_t corrupt = 0;
  std::size_t stuck = 0;   ///< slots that nobody took from the sender
  double offered = 0;      ///< packets a second that really left
  Histogram latency = {};  ///< nanoseconds, of one packet in Latencies::stride

  [[nodiscard]] bool is_clean() const { return sent != 0 && lost == 0 && corrupt == 0; }
};

/// Two threads, one a port.
[[nodiscard]] netmap::Result<TrialResult> run_trial(netmap::Port& tx, netmap::Port& rx,
                                                    const TrialOptions& options);

}  // namespace nmx
