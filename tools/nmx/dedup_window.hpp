// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "traffic.hpp"

#include <netmap/netmap.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nmx {

/// The last packets that were passed on, by which the next is judged. It keeps copies: what was
/// passed on is somebody else's, who may have changed it.
class DedupWindow {
 public:
  /// `packets` > 0: how many are kept; `age`: for how long they count.
  DedupWindow(std::size_t packets, std::chrono::nanoseconds age);

  /// Looks at a packet, which begins here and goes on in the calls of add().
  void begin() { candidate_.clear(); }
  void add(std::span<const std::byte> fragment) {
    candidate_.insert(candidate_.end(), fragment.begin(), fragment.end());
  }
  /// Whether it is equal, byte for byte, to one that is kept and not too old.
  [[nodiscard]] bool is_duplicate(Clock::time_point now);
  /// Keeps it, instead of the oldest if there are too many. Only if it was passed on.
  void keep(Clock::time_point now);

 private:
  struct Kept {
    std::vector<std::byte> bytes;
    Clock::time_point time;
  };

  std::chrono::nanoseconds age_;
  std::vector<std::byte> candidate_;
  std::uint64_t digest_ = 0;            ///< the candidate's
  std::vector<std::uint64_t> digests_;  ///< of kept_, side by side: most comparisons end there
  std::vector<Kept> kept_;
  std::size_t capacity_;
  std::size_t oldest_ = 0;  ///< once kept_ is full
};

}  // namespace nmx
