// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <random>

namespace netmap::test {

/// Small numbers, the same in every run.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  /// 0 … end - 1; 0 if there are none.
  std::uint32_t below(std::uint64_t end) {
    return end == 0 ? 0 : static_cast<std::uint32_t>(engine_() % end);
  }
  bool one_in(std::uint32_t n) { return below(n) == 0; }
  std::uint64_t bits() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace netmap::test
