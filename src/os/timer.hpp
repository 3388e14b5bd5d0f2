// SPDX-License-Identifier: BSD-2-Clause
//
// A descriptor that can be read once some time has passed. Linux: timerfd_create(2).
#pragma once

#include "os/os.hpp"

#include <chrono>
#include <utility>

namespace netmap::os {

class Timer {
 public:
  [[nodiscard]] static Outcome<Timer> make();

  [[nodiscard]] int fd() const noexcept { return file_.fd(); }
  /// `after` is less than a second, and not 0.
  void start(std::chrono::nanoseconds after) noexcept;
  /// It cannot be read any more, either.
  void stop() noexcept;

 private:
  explicit Timer(File file) noexcept : file_(std::move(file)) {}

  File file_;
};

}  // namespace netmap::os
