// SPDX-License-Identifier: BSD-2-Clause
#include "latencies.hpp"

namespace nmx {

void Latencies::depart(std::uint64_t first, std::uint64_t end, Clock::time_point now) {
  for (std::uint64_t k = (first + stride - 1) / stride; k * stride < end; ++k) {
    Departure& one = departures_[k % departures_.size()];
    one.time.store(now, std::memory_order_relaxed);
    one.number.store(k * stride, std::memory_order_release);
  }
}

/// A packet that comes when others have taken its place is not timed.
void Latencies::arrive(std::span<const Reading> readings, Clock::time_point now) {
  for (const Reading& reading : readings) {
    if (reading.verdict != Verdict::intact || reading.flow != flow_) continue;
    if (reading.number % stride != 0) continue;
    const Departure& one = departures_[reading.number / stride % departures_.size()];
    if (one.number.load(std::memory_order_acquire) != reading.number) continue;
    const auto took = now - one.time.load(std::memory_order_relaxed);
    times_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
  }
}

}  // namespace nmx
