// SPDX-License-Identifier: BSD-2-Clause
//
// What became of numbered packets. Each flow has a window of the last 65,536 numbers, in which a
// number that comes late is told from one that comes twice; what has left the window is settled.
//
//     lost        numbers below the highest one seen that never came
//     reordered   packets behind one with a higher number; two exchanged neighbours count one
//     duplicated  packets whose number had come, or came too late for the window
//     corrupt     packets with a byte that is not as it was sent
//     foreign     packets that no nmx gen numbered; in no other count
//
// A damaged packet whose number cannot be read must be one of those that never came, so it is
// taken off the lost.
#pragma once

#include "sequence.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>

namespace nmx {

struct SequenceCounts {
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupt = 0;
  std::uint64_t foreign = 0;

  [[nodiscard]] bool is_clean() const {
    return lost == 0 && duplicated == 0 && reordered == 0 && corrupt == 0;
  }
  friend bool operator==(const SequenceCounts&, const SequenceCounts&) = default;
};

/// The numbers of one flow.
class SequenceWindow {
 public:
  static constexpr std::uint64_t size = 65'536;

  void record(std::uint64_t number);
  [[nodiscard]] std::uint64_t lost() const { return next_ - distinct_; }
  [[nodiscard]] std::uint64_t distinct() const { return distinct_; }
  [[nodiscard]] std::uint64_t duplicated() const { return duplicated_; }
  [[nodiscard]] std::uint64_t reordered() const { return reordered_; }

 private:
  static constexpr std::uint64_t word_bits = 64;

  [[nodiscard]] std::uint64_t& word(std::uint64_t number) {
    return bits_[number / word_bits % bits_.size()];
  }
  static std::uint64_t bit(std::uint64_t number) { return std::uint64_t{1} << number % word_bits; }
  void skip_to(std::uint64_t number);
  void mark(std::uint64_t number) {
    word(number) |= bit(number);
    ++distinct_;
  }

  std::array<std::uint64_t, size / word_bits> bits_{};
  std::uint64_t next_ = 0;  ///< one above the highest number seen
  std::uint64_t distinct_ = 0;
  std::uint64_t duplicated_ = 0;
  std::uint64_t reordered_ = 0;
};

/// All flows. Any number of threads may add to it: a network card may spread one flow over rings.
class SequenceTally {
 public:
  void add(std::span<const Reading> batch);
  [[nodiscard]] SequenceCounts counts() const;
  /// How many numbers of this flow have come, once or more.
  [[nodiscard]] std::uint64_t distinct(std::uint32_t flow) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::uint32_t, SequenceWindow> flows_;
  std::uint64_t corrupt_ = 0;
  std::uint64_t unreadable_ = 0;
  std::uint64_t foreign_ = 0;
};

}  // namespace nmx
