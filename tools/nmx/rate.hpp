// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace nmx {

/// Says how many packets are due at a steady rate. They come due in bursts, some 300 a second
/// unless that exceeds the batch, because nobody can sleep between single packets. What could not
/// be sent in time is caught up with, but no more than a tenth of a second's worth.
class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  /// Precondition: packets_per_second > 0.
  RateLimiter(double packets_per_second, std::uint64_t batch, Clock::time_point start)
      : rate_(packets_per_second),
        burst_(std::clamp(packets_per_second / 300, 1.0, static_cast<double>(batch))),
        last_(start) {}

  /// How many packets may be sent now, at most `wanted`; 0 before due(wanted).
  [[nodiscard]] std::uint64_t allow(std::uint64_t wanted, Clock::time_point now) {
    const double gained = std::chrono::duration<double>(now - last_).count() * rate_;
    credit_ = std::min(credit_ + gained, std::max(rate_ / 10, burst_));
    last_ = now;
    if (credit_ < burst(wanted)) return 0;
    return std::min(wanted, static_cast<std::uint64_t>(credit_));
  }
  void sent(std::uint64_t packets) { credit_ -= static_cast<double>(packets); }

  /// When to ask again.
  [[nodiscard]] Clock::time_point due(std::uint64_t wanted) const {
    const double seconds = std::max(0.0, burst(wanted) - credit_) / rate_;
    return last_ + std::chrono::ceil<Clock::duration>(std::chrono::duration<double>(seconds));
  }

 private:
  [[nodiscard]] double burst(std::uint64_t wanted) const {
    return std::min(burst_, static_cast<double>(wanted));
  }

  double rate_;
  double burst_;
  double credit_ = 0;
  Clock::time_point last_;
};

}  // namespace nmx
