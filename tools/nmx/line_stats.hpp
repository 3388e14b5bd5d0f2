// SPDX-License-Identifier: BSD-2-Clause
//
// What became of packets on an emulated link in some span of time: counted by the thread that moves
// them, taken by the thread that reports.
#pragma once

#include "histogram.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace nmx {

struct LineStats {
  std::uint64_t in = 0;
  std::uint64_t in_bytes = 0;
  std::uint64_t out = 0;
  std::uint64_t out_bytes = 0;
  std::uint64_t lost = 0;            ///< on purpose
  std::uint64_t queue_dropped = 0;   ///< the queue was full
  std::uint64_t memory_dropped = 0;  ///< the memory was full
  std::uint64_t held_back = 0;       ///< of those under way or out
  std::size_t queued_bytes = 0;      ///< at the end of the time
  std::size_t most_queued_bytes = 0;
  std::size_t held = 0;     ///< packets under way at the end of the time
  Histogram lateness = {};  ///< nanoseconds from when a packet was due to when it left

  /// Adds what came after it.
  void merge(const LineStats& later);
};

/// There, and back.
using LinkStats = std::array<LineStats, 2>;

class LinkLog {
 public:
  template <class Change>
  void update(Change&& change) {
    const std::scoped_lock lock(mutex_);
    change(stats_);
  }
  /// All since the last call.
  [[nodiscard]] LinkStats take();

 private:
  std::mutex mutex_;
  LinkStats stats_;
};

}  // namespace nmx
