// SPDX-License-Identifier: BSD-2-Clause
//
// What became of pings in some span of time: counted by the thread that sends them, taken by the
// thread that reports.
#pragma once

#include "histogram.hpp"

#include <cstdint>
#include <mutex>
#include <utility>

namespace nmx {

struct PingStats {
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;          ///< not answered within the time-out
  std::uint64_t without_room = 0;  ///< sent, and lost, but never left: the tx ring stayed full
  std::uint64_t duplicates = 0;    ///< further answers
  std::uint64_t late = 0;          ///< answers after the time-out, to pings that are lost
  Histogram round_trips = {};      ///< nanoseconds, from handing over to seeing the answer
  Histogram lateness = {};         ///< nanoseconds from when a ping was due to when it left

  [[nodiscard]] std::uint64_t answered() const { return round_trips.count(); }
  void merge(const PingStats& other);
};

class PingLog {
 public:
  template <class Change>
  void update(Change&& change) {
    const std::scoped_lock lock(mutex_);
    change(stats_);
  }
  /// All since the last call.
  [[nodiscard]] PingStats take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(stats_, {});
  }

 private:
  std::mutex mutex_;
  PingStats stats_;
};

}  // namespace nmx
