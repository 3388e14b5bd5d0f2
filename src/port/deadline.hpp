// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/port.hpp>

#include <algorithm>
#include <chrono>

namespace netmap {

/// Time left of a timeout that may be for ever.
class Deadline {
  using Clock = std::chrono::steady_clock;

 public:
  explicit Deadline(std::chrono::nanoseconds timeout) {
    if (timeout == forever) return;
    const auto now = Clock::now();
    forever_ = timeout > Clock::time_point::max() - now;
    if (!forever_) end_ = now + std::max(std::chrono::nanoseconds(0), timeout);
  }

  [[nodiscard]] std::chrono::nanoseconds left() const {
    return forever_ ? forever
                    : std::max(std::chrono::nanoseconds(0),
                               std::chrono::nanoseconds(end_ - Clock::now()));
  }
  [[nodiscard]] bool has_passed() const { return !forever_ && Clock::now() >= end_; }

 private:
  bool forever_ = true;
  Clock::time_point end_ = Clock::time_point::max();
};

}  // namespace netmap
