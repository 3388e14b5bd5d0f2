// SPDX-License-Identifier: BSD-2-Clause
//
// A descriptor that becomes readable at a time, or once another one is. Linux: epoll(7),
// timerfd_create(2).
#pragma once

#include "os/os.hpp"

namespace netmap::os {

class AlarmClock {
 public:
  [[nodiscard]] static Outcome<AlarmClock> make();

  [[nodiscard]] int fd() const noexcept { return queue_.fd(); }
  /// Readable from `when` on (time_point::max(): never) and, if `other` is not negative, while that
  /// is. Precondition: not set.
  [[nodiscard]] Outcome<> set(std::chrono::steady_clock::time_point when, int other) noexcept;
  /// Takes set() back.
  void clear() noexcept;

 private:
  AlarmClock(File queue, File timer) noexcept
      : queue_(std::move(queue)), timer_(std::move(timer)) {}

  File queue_;
  File timer_;
  int other_ = -1;
};

}  // namespace netmap::os
