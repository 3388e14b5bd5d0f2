// SPDX-License-Identifier: BSD-2-Clause
//
// When packets that enter an emulated line leave it, and which never do. A packet
//
//   1. waits in a queue until those before it are through at the bandwidth, and is dropped if what
//      the queue still has to send would exceed its size;
//   2. may be lost, having used the bandwidth;
//   3. takes the delay and the jitter. It does not overtake: it leaves after the one before it, at
//      the earliest by the time that it takes at the bandwidth;
//   4. may be held back. The others do not wait for it.
//
// What becomes of the n-th packet depends on the seed and n alone, but for the queue.
#pragma once

#include "line_options.hpp"
#include "random.hpp"
#include "traffic.hpp"

#include <cstddef>
#include <cstdint>

namespace nmx {

enum class Fate : std::uint8_t {
  passes,
  is_held_back,  ///< passes, but later
  queue_is_full,
  is_lost,
  memory_is_full,
};

class LineSchedule {
 public:
  struct Verdict {
    Fate fate;
    Clock::time_point due;  ///< when it leaves, if it does
  };

  LineSchedule(const LineOptions& options, std::uint64_t seed);

  /// The next packet's. `now` must not go back from call to call. Of those that pass, and of those
  /// that are held back, each is due no earlier than the one before it.
  [[nodiscard]] Verdict next(std::size_t packet_bytes, Clock::time_point now);
  /// Bytes that the queue still has to send.
  [[nodiscard]] std::size_t queued(Clock::time_point now) const;

 private:
  [[nodiscard]] bool draw_loss(std::size_t packet_bytes);
  [[nodiscard]] Clock::duration draw_jitter();
  [[nodiscard]] double backlog(Clock::time_point now) const;
  Clock::duration transmit(double bytes);

  LineOptions options_;
  nmx::Random losses_;
  nmx::Random jitters_;
  nmx::Random reorders_;
  double log_intact_;            ///< of the probability that a bit is
  Clock::time_point sent_ = {};  ///< when the queue is empty
  double beyond_ = 0;            ///< nanoseconds, less than one, after that
  Clock::time_point last_due_ = {};
};

}  // namespace nmx
