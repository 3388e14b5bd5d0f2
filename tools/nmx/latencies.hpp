// SPDX-License-Identifier: BSD-2-Clause
//
// How long numbered packets of one flow took, of one in so many: the sender notes when it hands
// them over, the receiver when it sees them, in the same process and so by the same clock.
#pragma once

#include "histogram.hpp"
#include "sequence.hpp"
#include "traffic.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

namespace nmx {

class Latencies {
 public:
  /// One packet in so many is timed: no two of a batch, as a rule.
  static constexpr std::uint64_t stride = 61;

  explicit Latencies(std::uint32_t flow) : flow_(flow) {}

  /// The sender's thread: packets `first` up to `end` are about to be handed over.
  void depart(std::uint64_t first, std::uint64_t end, Clock::time_point now);
  /// The receiver's: these have come.
  void arrive(std::span<const Reading> readings, Clock::time_point now);

  /// Nanoseconds. Not before both are done.
  [[nodiscard]] const Histogram& times() const { return times_; }

 private:
  struct Departure {
    std::atomic<std::uint64_t> number = UINT64_MAX;
    std::atomic<Clock::time_point> time;
  };

  std::uint32_t flow_;
  std::array<Departure, 65'536> departures_;  ///< by number / stride, the last ones
  Histogram times_;
};

}  // namespace nmx
