// SPDX-License-Identifier: BSD-2-Clause
#include "flights.hpp"

namespace nmx {

void Flights::launch(Clock::time_point now) {
  flights_.push_back({now, false});
  ++unanswered_;
}

Flights::Landed Flights::land(std::uint64_t number, Clock::time_point now) {
  if (number >= next_number()) return {Landing::unknown, {}};
  if (number < oldest_) {
    const bool is_remembered = oldest_ - number <= memory;
    const bool is_second = is_remembered && was_answered_[number % memory];
    return {is_second ? Landing::duplicate : Landing::late, {}};
  }
  Flight& flight = flights_[number - oldest_];
  if (flight.is_answered) return {Landing::duplicate, {}};
  const auto round_trip = now - flight.since;
  flight.is_answered = true;
  --unanswered_;
  while (!flights_.empty() && flights_.front().is_answered) forget_oldest();
  return {Landing::answer, round_trip};
}

std::uint64_t Flights::expire(Clock::time_point now) {
  const std::uint64_t before = unanswered_;
  while (!flights_.empty() && (flights_.front().is_answered || next_expiry() <= now)) {
    unanswered_ -= flights_.front().is_answered ? 0 : 1;
    forget_oldest();
  }
  return before - unanswered_;
}

void Flights::forget_oldest() {
  was_answered_[oldest_ % memory] = flights_.front().is_answered;
  flights_.pop_front();
  ++oldest_;
}

}  // namespace nmx
