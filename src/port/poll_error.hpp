// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/error.hpp>

#include <string>

namespace netmap {

/// What POLLERR means.
inline Error poll_error(const std::string& port) {
  return {errc::ring_corrupt, "the device reports an error on '" + port +
                                  "': a ring is broken or its interface is gone; reopen it"};
}

}  // namespace netmap
