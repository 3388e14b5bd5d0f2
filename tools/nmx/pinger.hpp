// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "flights.hpp"
#include "ping_packet.hpp"
#include "ping_stats.hpp"
#include "traffic.hpp"

#include <netmap/netmap.hpp>

#include <chrono>
#include <cstdint>

namespace nmx {

struct PingOptions {
  std::uint64_t count = UINT64_MAX;
  /// From ping to ping. 0: the next leaves as soon as an answer has come.
  std::chrono::nanoseconds every{0};
  /// At most so many may be unanswered.
  std::uint64_t outstanding = 1;
  std::chrono::nanoseconds timeout = std::chrono::seconds(1);
  std::uint32_t run = 0;
};

/// Sends pings on a port's first tx ring, and takes answers from all its rx rings. Those that are
/// due leave at their time whether others were answered or not, as far as `outstanding` and the
/// ring allow; none is left out, so late ones leave in a burst. One that has found no room in the
/// ring for the time an answer may take does not leave, and counts as one that nobody answers.
class Pinger {
 public:
  Pinger(netmap::Port& port, const PingOptions& options, PingWriter writer, PingLog& log);

  /// Until the count is reached, or it is stopped, and every ping answered or lost.
  netmap::Result<> run(Counters& counters);

 private:
  [[nodiscard]] bool has_more() const;
  [[nodiscard]] bool may_send() const;
  [[nodiscard]] bool has_room() const;
  netmap::Result<> send_what_is_due();
  netmap::Result<> send_one(Clock::duration lateness);
  void give_up_one(Clock::time_point now);
  netmap::Result<> wait();
  netmap::Result<> receive(Counters& counters);
  void receive_all(Clock::time_point now, Counters& counters, PingStats& stats);
  void land(std::uint64_t number, Clock::time_point now, PingStats& stats);

  netmap::Port* port_;
  PingOptions options_;
  PingWriter writer_;
  PingLog* log_;
  Flights flights_;
  Clock::time_point due_;  ///< the next ping; without an interval, since the last one ended
  std::uint32_t slots_;    ///< of a ping
};

}  // namespace nmx
