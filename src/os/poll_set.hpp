// SPDX-License-Identifier: BSD-2-Clause
//
// One descriptor to wait on for several: readable while one of them is ready. Linux: epoll(7).
#pragma once

#include "os/os.hpp"

namespace netmap::os {

class PollSet {
 public:
  [[nodiscard]] static Outcome<PollSet> make();

  [[nodiscard]] int fd() const noexcept { return queue_.fd(); }
  /// From here on it is ready when `file` can be read.
  [[nodiscard]] Outcome<> watch_readable(int file) noexcept;
  /// And when `file` has room for writing or, once that was cleared, got more. Whoever gives it
  /// room pays for that, until it is forgotten.
  [[nodiscard]] Outcome<> watch_room(int file) noexcept;
  void forget(int file) noexcept;
  void clear() noexcept;

 private:
  explicit PollSet(File queue) noexcept : queue_(std::move(queue)) {}

  File queue_;
};

}  // namespace netmap::os
