// SPDX-License-Identifier: BSD-2-Clause
//
// A line of packets under way, to which the faults happen that were asked for.
#pragma once

#include <netmap/faults.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <vector>

namespace netmap::fault {

using Clock = std::chrono::steady_clock;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  [[nodiscard]] bool chance(double probability);
  /// 0 … end; the end, too.
  [[nodiscard]] std::uint64_t upto(std::uint64_t end);
  [[nodiscard]] std::chrono::nanoseconds upto(std::chrono::nanoseconds end);

 private:
  std::mt19937_64 engine_;
};

struct Fragment {
  std::vector<std::byte> bytes;
  std::uint16_t flags;
};
using Fragments = std::vector<Fragment>;

/// What is to happen, where it is counted, and the seed of one wire.
struct Inflicted {
  const Faults& faults;
  FaultCounts& counts;
  std::uint64_t seed;
};

class Wire {
 public:
  /// How long a packet waits for another to overtake it.
  static constexpr auto patience = std::chrono::milliseconds(1);

  explicit Wire(const Inflicted& faults)
      : faults_(faults.faults), counts_(faults.counts), dice_(faults.seed) {}

  void put(Fragments packet, Clock::time_point now);
  /// The next packet, if its time has come.
  [[nodiscard]] const Fragments* next(Clock::time_point now);
  void pop();
  /// How many packets the sync of now may move.
  [[nodiscard]] std::size_t limit();
  /// When next() will have one; time_point::max() if nothing is under way.
  [[nodiscard]] Clock::time_point due() const;
  /// How many slots the next packet takes; 0 if there is none.
  [[nodiscard]] std::size_t next_slots() const;
  /// How many slots all packets under way take.
  [[nodiscard]] std::size_t slots() const { return slots_; }

 private:
  struct Packet {
    Fragments fragments;
    Clock::time_point due;
  };

  void damage(Fragments& packet);
  [[nodiscard]] Clock::time_point draw_due(Clock::time_point now);

  const Faults& faults_;
  FaultCounts& counts_;
  Dice dice_;
  std::deque<Packet> packets_;
  std::optional<Packet> slow_;  ///< the one to be overtaken
  std::size_t slots_ = 0;
  Clock::time_point last_due_ = Clock::time_point::min();
};

}  // namespace netmap::fault
