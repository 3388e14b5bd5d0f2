// SPDX-License-Identifier: BSD-2-Clause
//
// The search of nmx rfc2544, on links that are a number: they lose what exceeds it.
#include "nmx/rate_search.hpp"

#include "nmx/latencies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace nmx {
namespace {

using namespace std::chrono_literals;

struct Link {
  double takes;   ///< packets a second
  double sender;  ///< what the sender can do
};

/// Yields how many trials it took.
int search_on(const Link& link, RateSearch& search) {
  int trials = 0;
  for (; !search.is_done() && trials < 100; ++trials) {
    const double asked = search.next();
    const double offered = asked == 0 ? link.sender : std::min(asked, link.sender);
    search.record({asked, offered, offered <= link.takes});
  }
  return trials;
}

TEST(RateSearch, EndsThoughASenderNeverDoesAllThatItIsAskedTo) {
  for (const double share : {0.995, 0.994, 0.99, 0.9, 0.5}) {
    RateSearch search(2e6, 0.01);
    int trials = 0;
    for (; !search.is_done() && trials < 100; ++trials) {
      const double offered = search.next() * share;
      search.record({search.next(), offered, offered <= 1e6});
    }
    EXPECT_LE(trials, 40) << share;
    EXPECT_LE(search.found(), 1e6) << share;
    EXPECT_GT(search.found(), 0.4e6) << share;
  }
}

TEST(RateSearch, FindsWhatALinkTakesToTheResolution) {
  for (const double takes : {20e3, 1e6, 14.88e6, 3.0}) {
    for (const double resolution : {0.1, 0.01, 0.001}) {
      RateSearch search(0, resolution);
      EXPECT_LE(search_on({takes, 20e6}, search), 40);
      EXPECT_LE(search.found(), takes);
      EXPECT_GE(search.found(), takes - std::max(1.0, resolution * takes));
      EXPECT_FALSE(search.is_senders());
      EXPECT_FALSE(search.is_most());
    }
  }
}

TEST(RateSearch, SaysThatTheSenderIsTheBound) {
  for (const double most : {0.0, 5e6}) {
    RateSearch search(most, 0.01);
    EXPECT_EQ(search_on({1e9, 1e6}, search), 1);
    EXPECT_EQ(search.found(), 1e6);
    EXPECT_TRUE(search.is_senders());
  }
}

TEST(RateSearch, SaysThatNoMoreWasTried) {
  RateSearch search(5e5, 0.01);
  EXPECT_EQ(search_on({1e9, 1e6}, search), 1);
  EXPECT_EQ(search.found(), 5e5);
  EXPECT_TRUE(search.is_most());
  EXPECT_FALSE(search.is_senders());
}

TEST(RateSearch, FindsNothingWhereAllIsLost) {
  RateSearch search(0, 0.01);
  EXPECT_LE(search_on({0, 1e6}, search), 25);
  EXPECT_EQ(search.found(), 0);
  EXPECT_FALSE(search.is_senders());
}

TEST(RateSearch, EndsWhenTheSenderDoesNotReachARateBetweenTwice) {
  RateSearch search(0, 0.01);
  search.record({0, 1e6, false});
  EXPECT_EQ(search.next(), 5e5);
  search.record({5e5, 4e5, true});
  EXPECT_FALSE(search.is_done());
  EXPECT_EQ(search.next(), 7e5);
  search.record({7e5, 4e5, true});
  EXPECT_TRUE(search.is_done());
  EXPECT_TRUE(search.is_senders());
  EXPECT_EQ(search.found(), 4e5);
}

TEST(Latencies, TimeOneInSoManyPacketsOfTheirFlow) {
  const auto latencies = std::make_unique<Latencies>(7);
  const Clock::time_point start{1000s};
  latencies->depart(0, 100, start);
  latencies->depart(100, 200, start + 1ms);
  std::vector<Reading> readings;
  for (std::uint64_t number = 0; number < 200; ++number) {
    readings.push_back({Verdict::intact, 7, number});
    readings.push_back({Verdict::intact, 8, number});
  }
  readings.push_back({Verdict::damaged, 7, 0});
  readings.push_back({Verdict::intact, 7, 1000 * Latencies::stride});  // never left
  latencies->arrive(readings, start + 3ms);
  const Histogram& times = latencies->times();
  ASSERT_EQ(Latencies::stride, 61U);
  EXPECT_EQ(times.count(), 4U);  // 0, 61, 122, 183
  EXPECT_EQ(times.max(), 3'000'000U);
  EXPECT_EQ(times.min(), 2'000'000U);
  EXPECT_EQ(times.mean(), 2'500'000);
}

}  // namespace
}  // namespace nmx
