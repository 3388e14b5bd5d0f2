// SPDX-License-Identifier: BSD-2-Clause
//
// A descriptor that becomes readable once another one has an event, and only while that was asked
// for, or, once, when there are news. Between clear() and set() nothing polls the other descriptor.
// Linux: epoll(7).
#pragma once

#include "os/os.hpp"

namespace netmap::os {

class OneShot {
 public:
  /// `fd` and `news`, which may be none, stay the caller's and have to outlive this.
  [[nodiscard]] static Outcome<OneShot> make(int fd, int news);

  [[nodiscard]] int fd() const noexcept { return queue_.fd(); }
  /// Asks for one of `events`, poll(2)'s. Precondition: not set.
  [[nodiscard]] Outcome<> set(short events) noexcept;
  /// Takes back set(), if that was called, and the news, if they have come: others may wait for
  /// these, too, so they are not read. Yields the events of `fd` that have come.
  [[nodiscard]] Outcome<short> clear() noexcept;

 private:
  OneShot(File queue, int fd) noexcept : queue_(std::move(queue)), fd_(fd) {}

  File queue_;
  int fd_;
};

}  // namespace netmap::os
