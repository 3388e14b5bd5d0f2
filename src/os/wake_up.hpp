// SPDX-License-Identifier: BSD-2-Clause
//
// One descriptor to wait on for a moment in time, or for a stream: readable once what was asked for
// is there. Linux: epoll(7), timerfd_create(2).
#pragma once

#include "os/os.hpp"

#include <chrono>
#include <optional>

namespace netmap::os {

class WakeUp {
 public:
  [[nodiscard]] static Outcome<WakeUp> make();

  [[nodiscard]] int fd() const noexcept { return queue_.fd(); }
  /// Asks to be woken at `time`, at once if that is past.
  void at(std::chrono::steady_clock::time_point time) noexcept;
  /// Asks to be woken when `fd` can be read.
  void when_readable(int fd) noexcept;
  /// Takes back what was asked for, and uses up the wake-up if one came.
  void clear() noexcept;

 private:
  WakeUp(File queue, File timer) noexcept : queue_(std::move(queue)), timer_(std::move(timer)) {}

  File queue_;
  File timer_;
  std::optional<int> watched_;
};

}  // namespace netmap::os
