// SPDX-License-Identifier: BSD-2-Clause
#include "line_schedule.hpp"

#include <algorithm>
#include <cmath>

namespace nmx {
namespace {

constexpr double nanoseconds_per_bit(double bandwidth) {
  return 1e9 / bandwidth;
}

Clock::duration nanoseconds(double count) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(count));
}

}  // namespace

LineSchedule::LineSchedule(const LineOptions& options, std::uint64_t seed)
    : options_(options),
      losses_(scatter(seed)),
      jitters_(scatter(seed + 1)),
      reorders_(scatter(seed + 2)),
      log_intact_(std::log1p(-options.bit_errors)) {}

LineSchedule::Verdict LineSchedule::next(std::size_t packet_bytes, Clock::time_point now) {
  const bool is_lost = draw_loss(packet_bytes);
  const Clock::duration jitter = draw_jitter();
  const bool is_held_back = reorders_.fraction() < options_.reorder;
  Clock::duration took{0};
  if (sent_ < now) {
    sent_ = now;
    beyond_ = 0;
  }
  if (options_.bandwidth != 0) {
    const double bytes = static_cast<double>(packet_bytes) + options_.overhead;
    // Bytes are whole: half a one is for what adding fractions of nanoseconds makes of them.
    if (backlog(now) + bytes >= static_cast<double>(options_.queue) + 0.5) {
      return {Fate::queue_is_full, {}};
    }
    took = transmit(bytes);
  }
  if (is_lost) return {Fate::is_lost, {}};
  last_due_ = std::max(sent_ + options_.delay + jitter, last_due_ + took);
  if (is_held_back) return {Fate::is_held_back, last_due_ + options_.held_back};
  return {Fate::passes, last_due_};
}

std::size_t LineSchedule::queued(Clock::time_point now) const {
  return sent_ <= now ? 0 : static_cast<std::size_t>(std::lround(backlog(now)));
}

/// Precondition: sent_ >= now.
double LineSchedule::backlog(Clock::time_point now) const {
  if (options_.bandwidth == 0) return 0;
  const auto left = static_cast<double>(std::chrono::nanoseconds(sent_ - now).count());
  return (left + beyond_) / nanoseconds_per_bit(options_.bandwidth) / 8;
}

/// Yields how long that takes, in whole nanoseconds, of which the sum is right.
Clock::duration LineSchedule::transmit(double bytes) {
  const double exact = bytes * 8 * nanoseconds_per_bit(options_.bandwidth) + beyond_;
  const double whole = std::floor(exact);
  beyond_ = exact - whole;
  sent_ += nanoseconds(whole);
  return nanoseconds(whole);
}

bool LineSchedule::draw_loss(std::size_t packet_bytes) {
  const double drawn = losses_.fraction();
  if (options_.bit_errors == 0) return drawn < options_.loss;
  const double intact = std::exp(8 * static_cast<double>(packet_bytes) * log_intact_);
  return drawn < 1 - (1 - options_.loss) * intact;
}

Clock::duration LineSchedule::draw_jitter() {
  const double drawn = jitters_.fraction();
  const double factor = options_.is_exponential ? -std::log1p(-drawn) : drawn;
  return nanoseconds(factor * static_cast<double>(options_.jitter.count()));
}

}  // namespace nmx
