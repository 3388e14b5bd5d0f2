// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/flights.hpp"

#include "support/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

namespace nmx {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point first_moment{1h};
constexpr auto timeout = 100us;

TEST(NmxFlights, AnAnswerHasItsOwnPingsTime) {
  Flights flights(timeout);
  flights.launch(first_moment);
  flights.launch(first_moment + 5us);
  const auto second = flights.land(1, first_moment + 7us);
  EXPECT_EQ(second.as, Landing::answer);
  EXPECT_EQ(second.round_trip, 2us);
  EXPECT_EQ(flights.land(0, first_moment + 9us).round_trip, 9us);
  EXPECT_EQ(flights.unanswered(), 0);
  EXPECT_EQ(flights.next_number(), 2);
}

TEST(NmxFlights, ASecondAnswerIsADuplicateNowAndLater) {
  Flights flights(timeout);
  flights.launch(first_moment);
  flights.launch(first_moment);
  EXPECT_EQ(flights.land(1, first_moment).as, Landing::answer);
  EXPECT_EQ(flights.land(1, first_moment).as, Landing::duplicate);
  EXPECT_EQ(flights.land(0, first_moment).as, Landing::answer);
  EXPECT_EQ(flights.land(1, first_moment).as, Landing::duplicate);
  EXPECT_EQ(flights.expire(first_moment + 1s), 0);
  EXPECT_EQ(flights.land(0, first_moment + 1s).as, Landing::duplicate);
}

TEST(NmxFlights, WhatIsNotAnsweredInTimeIsLostOnceAndThenLate) {
  Flights flights(timeout);
  EXPECT_EQ(flights.next_expiry(), Clock::time_point::max());
  flights.launch(first_moment);
  EXPECT_EQ(flights.next_expiry(), first_moment + timeout);
  EXPECT_EQ(flights.expire(first_moment + timeout - 1ns), 0);
  EXPECT_EQ(flights.expire(first_moment + timeout), 1);
  EXPECT_EQ(flights.expire(first_moment + timeout), 0);
  EXPECT_EQ(flights.unanswered(), 0);
  EXPECT_EQ(flights.land(0, first_moment + timeout).as, Landing::late);
}

TEST(NmxFlights, WhatWasNeverSentIsUnknown) {
  Flights flights(timeout);
  EXPECT_EQ(flights.land(0, first_moment).as, Landing::unknown);
  flights.launch(first_moment);
  EXPECT_EQ(flights.land(1, first_moment).as, Landing::unknown);
  EXPECT_EQ(flights.land(UINT64_MAX, first_moment).as, Landing::unknown);
  EXPECT_EQ(flights.unanswered(), 1);
}

TEST(NmxFlights, ADuplicateThatIsFarBehindIsLate) {
  Flights flights(timeout);
  for (std::uint64_t number = 0; number <= Flights::memory; ++number) {
    flights.launch(first_moment);
    EXPECT_EQ(flights.land(number, first_moment).as, Landing::answer);
  }
  EXPECT_EQ(flights.land(0, first_moment).as, Landing::late);
  EXPECT_EQ(flights.land(1, first_moment).as, Landing::duplicate);
}

/// What there is to know of every ping, in a map.
class Oracle {
 public:
  void launch(Clock::time_point now) { pings_[next_++] = {now, false, false}; }

  std::uint64_t expire(Clock::time_point now) {
    std::uint64_t lost = 0;
    for (auto& [number, ping] : pings_) {
      if (ping.is_answered || ping.is_lost || now - ping.since < timeout) continue;
      ping.is_lost = true;
      ++lost;
    }
    return lost;
  }
  Landing land(std::uint64_t number) {
    if (number >= next_) return Landing::unknown;
    Ping& ping = pings_[number];
    if (ping.is_lost) return Landing::late;
    return std::exchange(ping.is_answered, true) ? Landing::duplicate : Landing::answer;
  }
  [[nodiscard]] std::uint64_t unanswered() const {
    return static_cast<std::uint64_t>(std::ranges::count_if(pings_, [](const auto& entry) {
      return !entry.second.is_answered && !entry.second.is_lost;
    }));
  }
  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] Clock::time_point since(std::uint64_t number) const {
    return pings_.at(number).since;
  }

 private:
  struct Ping {
    Clock::time_point since;
    bool is_answered;
    bool is_lost;
  };
  std::map<std::uint64_t, Ping> pings_;
  std::uint64_t next_ = 0;
};

TEST(NmxFlights, AgreeWithAMapOfAllPings) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    netmap::test::Random random(seed);
    Flights flights(timeout);
    Oracle oracle;
    auto now = first_moment;
    for (int step = 0; step < 300; ++step) {
      now += std::chrono::microseconds(random.below(20));
      if (random.one_in(2)) {
        flights.launch(now);
        oracle.launch(now);
        continue;
      }
      EXPECT_EQ(flights.expire(now), oracle.expire(now));
      const std::uint64_t number = random.below(oracle.next() + 2);
      const auto landed = flights.land(number, now);
      EXPECT_EQ(landed.as, oracle.land(number)) << seed << ' ' << step;
      if (landed.as == Landing::answer) {
        EXPECT_EQ(landed.round_trip, now - oracle.since(number));
      }
      EXPECT_EQ(flights.unanswered(), oracle.unanswered());
      EXPECT_EQ(flights.next_number(), oracle.next());
    }
  }
}

}  // namespace
}  // namespace nmx
