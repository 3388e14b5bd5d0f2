// SPDX-License-Identifier: BSD-2-Clause
//
// One descriptor to wait on for a FIFO, and for the death of those at the other ends of others:
// readable while the FIFO is, and once for each end that closes. Linux: epoll(7).
#pragma once

#include "os/os.hpp"

namespace netmap::os {

class WakeSet {
 public:
  /// `fifo` is to be read from, and outlives this.
  [[nodiscard]] static Outcome<WakeSet> make(const File& fifo);

  [[nodiscard]] int fd() const noexcept { return queue_.fd(); }
  /// Wakes once when nobody can read any more what is written to `fifo`, and forgets it when that
  /// is closed.
  [[nodiscard]] Outcome<> watch(const File& fifo) noexcept;
  /// Uses up what woke.
  void drain() noexcept;

 private:
  WakeSet(File queue, int fifo) noexcept : queue_(std::move(queue)), fifo_(fifo) {}

  File queue_;
  int fifo_;
};

}  // namespace netmap::os
