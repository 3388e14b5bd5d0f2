// SPDX-License-Identifier: BSD-2-Clause
//
// Waiting for files of netmap and descriptors of the kernel at once.
#pragma once

#include "preload/core/open_file.hpp"

#include <memory>
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
};

/// As ppoll(2): until one of `watched` has found something, or of `others` has come; yields how
/// many have.
int wait(std::span<Watched> watched, std::span<pollfd> others, const timespec* timeout,
         const sigset_t* signals);

}  // namespace netmap::preload
