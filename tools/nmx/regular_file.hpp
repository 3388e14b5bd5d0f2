// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/stat.h>

namespace nmx {

/// Whether the descriptor is a file on a disk, not a pipe or the like.
[[nodiscard]] inline bool is_regular(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace nmx
