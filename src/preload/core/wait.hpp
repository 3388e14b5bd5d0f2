// SPDX-License-Identifier: BSD-2-Clause
//
// Waiting for files of netmap and descriptors of the kernel at once.
#pragma once

#include "preload/core/open_file.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <span>

#include <signal.h>
#include <time.h>

namespace netmap::preload {

/// A file that is waited for.
struct Watched {
  std::shared_ptr<OpenFile> file;  ///< null: something that cannot be used here
  short events;
  /// What was there before, and does not count as long as it stays.
  short known = 0;
  short found = 0;
  Directions armed{};
};

/// When a wait is over, if ever.
class Deadline {
 public:
  /// As ppoll(2) takes it: null is for ever.
  explicit Deadline(const timespec* timeout);
  [[nodiscard]] bool has_passed() const;
  /// What ppoll(2) is to be given; views into this.
  [[nodiscard]] const timespec* left();

 private:
  std::optional<std::chrono::steady_clock::time_point> end_;
  timespec left_{};
};

/// As ppoll(2): until one of `watched` has found something, or of `others` has come; yields how
/// many have.
int wait(std::span<Watched> watched, std::span<pollfd> others, Deadline& deadline,
         const sigset_t* signals);

}  // namespace netmap::preload
