// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/report.hpp"
#include "nmx/budget.hpp"
#include "nmx/rate.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace nmx {
namespace {

using namespace std::chrono_literals;

TEST(NmxReport, ScalesNumbers) {
  EXPECT_EQ(scaled(0, "pps"), "0.000 pps");
  EXPECT_EQ(scaled(999.9, "pps"), "999.900 pps");
  EXPECT_EQ(scaled(999.9996, "pps"), "1.000 kpps");
  EXPECT_EQ(scaled(14'880'952.4, "pps"), "14.881 Mpps");
  EXPECT_EQ(scaled(1e10, "bit/s"), "10.000 Gbit/s");
  EXPECT_EQ(scaled(1e17, "bit/s"), "100000.000 Tbit/s");
}

TEST(NmxReport, ALineHasRateBitsBatchAndFreeSlots) {
  const Traffic traffic{.packets = 3'000'000,
                        .bytes = 180'000'000,
                        .batches = 10'000,
                        .free_slots = 12,
                        .seconds = 2};
  EXPECT_EQ(interval_line(traffic),
            "   1.500 Mpps   720.000 Mbit/s  batch  300.00  free slots   12");
  EXPECT_EQ(interval_line(Traffic{}),
            "    0.000 pps      0.000 bit/s  batch    0.00  free slots    -");
}

TEST(NmxReport, TheTotalHasTheSumsToo) {
  const Traffic traffic{
      .packets = 3'000'000, .bytes = 180'000'000, .batches = 10'000, .seconds = 2};
  EXPECT_EQ(total_line("sent", traffic),
            "sent 3000000 packets, 180000000 bytes in 2.000 s: 1.500 Mpps, 720.000 Mbit/s, average "
            "batch 300.00");
}

TEST(NmxReport, JsonHasTheFieldsAndNoTimeIsNoRate) {
  const Traffic traffic{.packets = 4, .bytes = 240, .batches = 2, .seconds = 0.5};
  EXPECT_EQ(
      to_json(traffic).dump(),
      R"({"packets":4,"bytes":240,"seconds":0.5,"pps":8.0,"bps":3840.0,"wire_bps":5376.0,"batches":2})");
  EXPECT_EQ(to_json({.packets = 4, .bytes = 240, .batches = 2})["pps"], 0);
}

class Printed : public testing::Test {
 protected:
  static std::string total(JsonOutput output) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const Report report({.json = output}, {{"command", "gen"}},
                        [] { return Remarks{.json = {{"lost", 0}}}; });
    report.interval({.packets = 1});
    report.total("sent", {.packets = 2});
    (void)testing::internal::GetCapturedStderr();
    return testing::internal::GetCapturedStdout();
  }
};

TEST_F(Printed, OnStdoutThereIsNothingUnlessAsked) {
  EXPECT_EQ(total(JsonOutput::none), "");
}

TEST_F(Printed, OneObjectAtTheEnd) {
  EXPECT_EQ(total(JsonOutput::object),
            R"({"event":"total","command":"gen","packets":2,"bytes":0,"seconds":0.0,"pps":0.0,)"
            R"("bps":0.0,"wire_bps":0.0,"batches":0,"lost":0})"
            "\n");
}

TEST_F(Printed, OrOneMoreEachInterval) {
  const std::string lines = total(JsonOutput::lines);
  EXPECT_EQ(std::ranges::count(lines, '\n'), 2);
  EXPECT_TRUE(lines.starts_with(R"({"event":"interval","command":"gen","packets":1,)")) << lines;
}

TEST(NmxCounters, SumUpAndForgetTheFewestFreeSlotsOnceTold) {
  Counters counters;
  counters.add(3, 180);
  counters.add(2, 120);
  Traffic sum;
  counters.add_to(sum);
  EXPECT_EQ(sum.packets, 5);
  EXPECT_EQ(sum.bytes, 300);
  EXPECT_EQ(sum.batches, 2);
  EXPECT_EQ(counters.take_free_slots(), Traffic::not_seen);
  counters.see_free_slots(7);
  counters.see_free_slots(9);
  EXPECT_EQ(counters.take_free_slots(), 7);
  EXPECT_EQ(counters.take_free_slots(), Traffic::not_seen);
}

// ---- The rate -----------------------------------------------------------------------------------

using Time = RateLimiter::Clock::time_point;

/// Sends whatever is allowed, whenever it is due, until `end`; yields how many packets.
std::uint64_t send_until(RateLimiter& limiter, Time start, Time end, std::uint64_t wanted) {
  std::uint64_t sent = 0;
  for (Time now = start; now < end;) {
    const auto allowed = limiter.allow(wanted, now);
    limiter.sent(allowed);
    sent += allowed;
    if (allowed != 0) continue;
    const Time next = limiter.due(wanted);
    EXPECT_GT(next, now);
    now = next;
  }
  return sent;
}

TEST(NmxRate, HoldsOverTime) {
  for (const double rate : {0.5, 1.0, 10.0, 1000.0, 123'456.0, 14'880'952.0}) {
    for (const std::uint64_t batch : {1U, 32U, 512U}) {
      const Time start{};
      const double seconds = std::max(0.1, 20 / rate);
      const auto end =
          start + std::chrono::ceil<Time::duration>(std::chrono::duration<double>(seconds));
      RateLimiter limiter(rate, batch, start);
      const auto sent = static_cast<double>(send_until(limiter, start, end, batch));
      EXPECT_NEAR(sent, seconds * rate, 1 + rate / 300) << rate << " in batches of " << batch;
      EXPECT_LE(sent, seconds * rate + 1);
    }
  }
}

TEST(NmxRate, NeverAllowsMoreThanWanted) {
  RateLimiter limiter(1e6, 512, Time{});
  EXPECT_EQ(limiter.allow(3, Time{} + 1s), 3);
  EXPECT_EQ(limiter.allow(512, Time{} + 1s), 512);
}

TEST(NmxRate, AStallIsNotCaughtUpWithBeyondATenthOfASecond) {
  RateLimiter limiter(1000, 512, Time{});
  EXPECT_EQ(limiter.allow(100'000, Time{} + 10s), 100);
}

TEST(NmxRate, TheLastPacketDoesNotWaitForAWholeBurst) {
  RateLimiter limiter(30'000, 512, Time{});
  EXPECT_EQ(limiter.due(1), Time{} + std::chrono::ceil<Time::duration>(1s / 30'000.0));
  EXPECT_EQ(limiter.allow(1, Time{} + 1ms), 1);
}

// ---- The count ----------------------------------------------------------------------------------

TEST(NmxBudget, IsSpentOnceEveryPacketWasUsed) {
  Budget budget(10);
  EXPECT_EQ(budget.claim(8), 8);
  EXPECT_EQ(budget.claim(8), 2);
  EXPECT_EQ(budget.claim(8), 0);
  EXPECT_FALSE(budget.is_spent());
  budget.settle(8, 5);
  EXPECT_EQ(budget.claim(8), 3);
  budget.settle(2, 2);
  EXPECT_FALSE(budget.is_spent());
  budget.settle(3, 3);
  EXPECT_TRUE(budget.is_spent());
}

TEST(NmxBudget, WithoutTotalHasNoEnd) {
  Budget budget(0);
  EXPECT_EQ(budget.claim(8), 8);
  budget.settle(8, 8);
  EXPECT_FALSE(budget.is_spent());
}

TEST(NmxBudget, ThreadsTogetherUseItUpExactly) {
  Budget budget(100'000);
  std::atomic<std::uint64_t> used = 0;
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t k = 1; k <= 4; ++k) {
      threads.emplace_back([&, k] {
        while (!budget.is_spent()) {
          const auto claimed = budget.claim(7 * k);
          const auto part = std::min(claimed, k);
          used += part;
          budget.settle(claimed, part);
        }
      });
    }
  }
  EXPECT_EQ(used, 100'000);
}

}  // namespace
}  // namespace nmx
