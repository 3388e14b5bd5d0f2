// SPDX-License-Identifier: BSD-2-Clause
//
// Counters that others write to, to wake us, and that we write to, to wake others: eventfd(2).
// Linux: epoll(7).
#pragma once

#include "os/os.hpp"

#include <cstdint>
#include <optional>

namespace netmap::os {

/// A descriptor of our own for somebody's eventfd. Fails with EBADF, and with EINVAL if it is
/// another kind of file.
[[nodiscard]] Outcome<File> share_eventfd(int fd);
/// Adds one to an eventfd. May block if it is as good as full.
void signal(const File& eventfd) noexcept;

/// Eventfds that may be written to. Nothing is read from them: what counts is that somebody wrote.
class Signals {
 public:
  [[nodiscard]] static Outcome<Signals> make();

  /// Readable while next() has something to tell.
  [[nodiscard]] int fd() const noexcept { return queue_.fd(); }
  /// `eventfd` stays the caller's and has to outlive this; next() will call it `number`.
  [[nodiscard]] Outcome<> watch(const File& eventfd, std::uint32_t number) noexcept;
  /// One that was written to since it was last told; what was written before watch() counts.
  [[nodiscard]] std::optional<std::uint32_t> next() noexcept;

 private:
  explicit Signals(File queue) noexcept : queue_(std::move(queue)) {}

  File queue_;
};

}  // namespace netmap::os
