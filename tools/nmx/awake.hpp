// SPDX-License-Identifier: BSD-2-Clause
//
// Who looks again for a while before sleeping need not be woken by the other side, which costs
// both.
#pragma once

#include "traffic.hpp"

#include <chrono>
#include <optional>

namespace nmx {

inline constexpr std::chrono::nanoseconds default_spin = std::chrono::microseconds(50);

/// Says after each look how long to wait for the next one.
class Awake {
 public:
  /// `spin`: how long after the last find to look again before sleeping; 0: not at all.
  explicit Awake(std::chrono::nanoseconds spin) : spin_(spin) {}

  void found_something();
  void found_nothing();
  /// 0, or a slice.
  [[nodiscard]] std::chrono::nanoseconds timeout() const;
  [[nodiscard]] std::optional<Clock::time_point> idle_since() const { return idle_since_; }

 private:
  std::chrono::nanoseconds spin_;
  std::optional<Clock::time_point> idle_since_;
  int looks_ = 0;
  bool may_sleep_ = false;
};

}  // namespace nmx
