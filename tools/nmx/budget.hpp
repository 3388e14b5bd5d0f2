// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace nmx {

/// A number of packets that several threads together must not exceed: claim, then settle.
class Budget {
 public:
  /// `total` 0: no bound.
  explicit Budget(std::uint64_t total)
      : is_bounded_(total != 0), unclaimed_(total), unused_(total) {}

  /// At most `wanted`; 0 if all that is left is claimed by others.
  [[nodiscard]] std::uint64_t claim(std::uint64_t wanted) {
    if (!is_bounded_) return wanted;
    std::uint64_t left = unclaimed_;
    while (!unclaimed_.compare_exchange_weak(left, left - std::min(left, wanted))) {
    }
    return std::min(left, wanted);
  }
  /// Of a claim, `used` was used; the rest goes back.
  void settle(std::uint64_t claimed, std::uint64_t used) {
    if (!is_bounded_) return;
    unclaimed_ += claimed - used;
    unused_ -= used;
  }
  /// No packet more, whatever is left.
  void end() { has_ended_ = true; }
  [[nodiscard]] bool is_spent() const { return has_ended_ || (is_bounded_ && unused_ == 0); }

 private:
  bool is_bounded_;
  std::atomic<std::uint64_t> unclaimed_;
  std::atomic<std::uint64_t> unused_;
  std::atomic<bool> has_ended_ = false;
};

}  // namespace nmx
