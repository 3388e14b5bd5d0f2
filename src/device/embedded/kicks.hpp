// SPDX-License-Identifier: BSD-2-Clause
//
// What the options of a sync loop ask for: descriptors by which the program kicks the loop and is
// interrupted by it, and which rings are looked at only when they are kicked.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/error.hpp>

#include "os/event_fd.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace netmap::embedded {

struct Kicks {
  /// Takes the options of a sync_kloop_start from the request and tells them, as the module does:
  /// EINVAL or EBADF. Rings count as the entries of CSB mode do, senders first.
  [[nodiscard]] static Result<Kicks> from(const abi::nmreq_header& request, std::size_t senders,
                                          std::size_t receivers);

  bool direct_tx = false;  ///< senders are synced only when kicked
  bool direct_rx = false;
  std::vector<os::File> interrupts;    ///< a ring each, none if it does without; or empty
  std::vector<os::File> kicks;         ///< a ring each
  std::optional<os::Signals> awaited;  ///< the kicks, if every ring has one: then the loop sleeps
};

}  // namespace netmap::embedded
