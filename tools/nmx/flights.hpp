// SPDX-License-Identifier: BSD-2-Clause
//
// Pings on their way. Each is answered within the time-out, or lost; an answer that comes later is
// a late one, and the second of two is a duplicate. Far behind, where nothing is remembered, any
// answer is late.
#pragma once

#include "traffic.hpp"

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace nmx {

enum class Landing : std::uint8_t {
  answer,
  duplicate,
  late,
  unknown,  ///< of a ping that was never sent
};

class Flights {
 public:
  /// Of so many pings, after their time, it is remembered whether they were answered.
  static constexpr std::size_t memory = 65'536;

  struct Landed {
    Landing as;
    Clock::duration round_trip;  ///< of an answer
  };

  explicit Flights(Clock::duration timeout) : timeout_(timeout) {}

  /// The number of the ping that launch() will send.
  [[nodiscard]] std::uint64_t next_number() const { return oldest_ + flights_.size(); }
  /// `now` must not go back from call to call, here and below.
  void launch(Clock::time_point now);
  [[nodiscard]] Landed land(std::uint64_t number, Clock::time_point now);
  /// Gives up those whose time is over; yields how many. To be called before land().
  std::uint64_t expire(Clock::time_point now);

  /// How many may yet be answered.
  [[nodiscard]] std::uint64_t unanswered() const { return unanswered_; }
  /// When expire() has something to do; time_point::max() if nothing is under way.
  [[nodiscard]] Clock::time_point next_expiry() const {
    return flights_.empty() ? Clock::time_point::max() : flights_.front().since + timeout_;
  }

 private:
  struct Flight {
    Clock::time_point since;
    bool is_answered;
  };

  void forget_oldest();

  Clock::duration timeout_;
  std::deque<Flight> flights_;  ///< the oldest one is unanswered
  std::uint64_t oldest_ = 0;    ///< its number
  std::uint64_t unanswered_ = 0;
  std::bitset<memory> was_answered_;  ///< of those before the oldest one, by number modulo memory
};

}  // namespace nmx
