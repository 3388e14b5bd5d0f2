// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

namespace nmx {

/// Scatters the bits of `word`, one to one: the finaliser of SplitMix64 (Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", 2014).
[[nodiscard]] constexpr std::uint64_t scatter(std::uint64_t word) noexcept {
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return word ^ (word >> 31);
}

/// SplitMix64: a few instructions a number, good enough for addresses and lengths.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) noexcept : state_(seed) {}

  [[nodiscard]] constexpr std::uint64_t next() noexcept {
    return scatter(state_ += 0x9e3779b97f4a7c15);
  }
  /// A number from `first` to `last`, both included.
  [[nodiscard]] constexpr std::uint32_t between(std::uint32_t first, std::uint32_t last) noexcept {
    const std::uint64_t choices = std::uint64_t{last} - first + 1;
    return first + static_cast<std::uint32_t>(((next() >> 32) * choices) >> 32);
  }
  /// From 0 to just below 1.
  [[nodiscard]] constexpr double fraction() noexcept {
    return static_cast<double>(next() >> 11) * 0x1p-53;
  }

 private:
  std::uint64_t state_;
};

}  // namespace nmx
