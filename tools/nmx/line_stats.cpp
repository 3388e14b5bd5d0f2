// SPDX-License-Identifier: BSD-2-Clause
#include "line_stats.hpp"

#include <algorithm>
#include <utility>

namespace nmx {

void LineStats::merge(const LineStats& later) {
  in += later.in;
  in_bytes += later.in_bytes;
  out += later.out;
  out_bytes += later.out_bytes;
  lost += later.lost;
  queue_dropped += later.queue_dropped;
  memory_dropped += later.memory_dropped;
  held_back += later.held_back;
  queued_bytes = later.queued_bytes;
  most_queued_bytes = std::max(most_queued_bytes, later.most_queued_bytes);
  held = later.held;
  lateness.merge(later.lateness);
}

LinkStats LinkLog::take() {
  const std::scoped_lock lock(mutex_);
  LinkStats next;
  for (std::size_t way = 0; way < next.size(); ++way) {
    next[way].queued_bytes = next[way].most_queued_bytes = stats_[way].queued_bytes;
    next[way].held = stats_[way].held;
  }
  return std::exchange(stats_, std::move(next));
}

}  // namespace nmx
