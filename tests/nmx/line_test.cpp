// SPDX-License-Identifier: BSD-2-Clause
//
// An emulated line without ports, and with a clock that the test winds.
#include "nmx/line_options.hpp"
#include "nmx/line_schedule.hpp"
#include "nmx/packet_fifo.hpp"

#include "support/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

namespace nmx {
namespace {

using namespace std::chrono_literals;
using Passage = LineSchedule::Verdict;

/// Long after the clock's beginning, as with every machine.
const Clock::time_point opening{1'000'000s};

std::vector<Passage> pass(const LineOptions& options, std::size_t count, std::size_t bytes,
                          Clock::duration gap, std::uint64_t seed = 1) {
  LineSchedule schedule(options, seed);
  std::vector<Passage> verdicts;
  for (std::size_t i = 0; i < count; ++i) {
    verdicts.push_back(schedule.next(bytes, opening + static_cast<std::int64_t>(i) * gap));
  }
  return verdicts;
}

std::ptrdiff_t count_of(const std::vector<Passage>& verdicts, Fate fate) {
  return std::ranges::count(verdicts, fate, &Passage::fate);
}

std::vector<Clock::time_point> dues_of(const std::vector<Passage>& verdicts, Fate fate) {
  std::vector<Clock::time_point> dues;
  for (const Passage& one : verdicts) {
    if (one.fate == fate) dues.push_back(one.due);
  }
  return dues;
}

TEST(Line, WithoutOptionsLetsEverythingThroughAtOnce) {
  for (const Passage& one : pass({}, 100, 60, 0ns)) {
    EXPECT_EQ(one.fate, Fate::passes);
    EXPECT_EQ(one.due, opening);
  }
}

TEST(Line, DelaysEachPacketByTheSame) {
  const auto verdicts = pass({.delay = 10ms}, 100, 60, 7us);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    EXPECT_EQ(verdicts[i].due, opening + static_cast<std::int64_t>(i) * 7us + 10ms);
  }
}

TEST(Line, JitterIsEvenlyDrawn) {
  // So far apart that no packet waits for the one before it.
  const auto verdicts = pass({.delay = 10ms, .jitter = 4ms}, 10'000, 60, 1s);
  double sum = 0;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const auto took = verdicts[i].due - (opening + static_cast<std::int64_t>(i) * 1s);
    EXPECT_GE(took, 10ms);
    EXPECT_LT(took, 14ms);
    sum += std::chrono::duration<double, std::milli>(took).count();
  }
  EXPECT_NEAR(sum / 10'000, 12, 0.05);  // four standard deviations of the mean
}

TEST(Line, ExponentialJitterHasItsMean) {
  const auto verdicts = pass({.jitter = 2ms, .is_exponential = true}, 10'000, 60, 1s);
  double sum = 0;
  int longer = 0;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const auto took = verdicts[i].due - (opening + static_cast<std::int64_t>(i) * 1s);
    sum += std::chrono::duration<double, std::milli>(took).count();
    longer += took > 4ms;
  }
  EXPECT_NEAR(sum / 10'000, 2, 0.08);                             // four standard deviations
  EXPECT_NEAR(longer / 10'000.0, std::exp(-2), 4 * 0.342 / 100);  // the same
}

TEST(Line, JitterKeepsTheOrder) {
  const auto dues = dues_of(pass({.jitter = 5ms}, 10'000, 60, 1us), Fate::passes);
  EXPECT_EQ(dues.size(), 10'000U);
  EXPECT_TRUE(std::ranges::is_sorted(dues));
}

TEST(Line, PacketsLeaveAsFarApartAsTheBandwidthHasThem) {
  for (const double bandwidth : {3e6, 100e6, 40e9}) {
    const LineOptions options{.delay = 1ms, .bandwidth = bandwidth, .queue = 1'000'000'000};
    const auto verdicts = pass(options, 100'000, 125, 0ns);
    const double each = 1000 / bandwidth * 1e9;
    for (const std::size_t i : {0UZ, 1UZ, 2UZ, 999UZ, 99'999UZ}) {
      const auto took = std::chrono::nanoseconds(verdicts[i].due - opening - 1ms);
      EXPECT_NEAR(static_cast<double>(took.count()), each * static_cast<double>(i + 1), 1.001);
    }
  }
}

TEST(Line, BandwidthMayCountFraming) {
  const LineOptions options{.bandwidth = 8e9, .overhead = framing_bytes};
  EXPECT_EQ(pass(options, 1, 60, 0ns)[0].due, opening + 84ns);
}

TEST(Line, JitterDoesNotExceedTheBandwidth) {
  const LineOptions options{.jitter = 1ms, .bandwidth = 8e6, .queue = 1'000'000};
  const auto dues = dues_of(pass(options, 1000, 100, 0ns), Fate::passes);
  for (std::size_t i = 1; i < dues.size(); ++i) EXPECT_GE(dues[i] - dues[i - 1], 100us);
}

TEST(Line, WhatTheQueueCannotHoldIsDropped) {
  const LineOptions options{.bandwidth = 3e6, .queue = 50'000};
  const auto verdicts = pass(options, 80, 1000, 0ns);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    EXPECT_EQ(verdicts[i].fate, i < 50 ? Fate::passes : Fate::queue_is_full) << i;
  }
}

TEST(Line, TheQueueEmptiesAtTheBandwidth) {
  LineSchedule schedule({.bandwidth = 8e6, .queue = 3000}, 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(schedule.next(1000, opening).fate, Fate::passes);
  EXPECT_EQ(schedule.queued(opening), 3000U);
  EXPECT_EQ(schedule.queued(opening + 1ms), 2000U);
  EXPECT_EQ(schedule.next(1000, opening + 999us).fate, Fate::queue_is_full);
  const Passage fourth = schedule.next(1000, opening + 1ms);
  EXPECT_EQ(fourth.fate, Fate::passes);
  EXPECT_EQ(fourth.due, opening + 4ms);
  EXPECT_EQ(schedule.queued(opening + 5ms), 0U);
  EXPECT_EQ(schedule.next(1000, opening + 10ms).due, opening + 11ms);
}

TEST(Line, LosesAsManyAsWasAskedFor) {
  const auto lost = count_of(pass({.loss = 0.1}, 100'000, 60, 0ns), Fate::is_lost);
  EXPECT_NEAR(static_cast<double>(lost), 10'000, 380);  // four standard deviations
  EXPECT_EQ(count_of(pass({.loss = 1}, 1000, 60, 0ns), Fate::is_lost), 1000);
  EXPECT_EQ(count_of(pass({.loss = 0}, 1000, 60, 0ns), Fate::is_lost), 0);
}

TEST(Line, OfLargePacketsBitErrorsLoseMore) {
  for (const std::size_t bytes : {60UZ, 1500UZ}) {
    const auto lost = count_of(pass({.bit_errors = 1e-5}, 100'000, bytes, 0ns), Fate::is_lost);
    const double expected = 1 - std::pow(1 - 1e-5, 8.0 * static_cast<double>(bytes));
    const double deviation = std::sqrt(expected * (1 - expected) / 100'000);
    EXPECT_NEAR(static_cast<double>(lost) / 100'000, expected, 4 * deviation);
  }
  EXPECT_EQ(count_of(pass({.bit_errors = 1}, 10, 60, 0ns), Fate::is_lost), 10);
}

TEST(Line, WhatIsLostHasUsedTheBandwidth) {
  LineSchedule schedule({.bandwidth = 8e6, .loss = 1}, 1);
  EXPECT_EQ(schedule.next(1000, opening).fate, Fate::is_lost);
  EXPECT_EQ(schedule.queued(opening), 1000U);
}

TEST(Line, OthersDoNotWaitForAPacketThatIsHeldBack) {
  const LineOptions options{.delay = 1ms, .reorder = 0.25, .held_back = 5ms};
  const auto verdicts = pass(options, 10'000, 60, 1us);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const auto more = verdicts[i].fate == Fate::is_held_back ? 5ms : 0ms;
    EXPECT_EQ(verdicts[i].due, opening + static_cast<std::int64_t>(i) * 1us + 1ms + more);
  }
  const auto held_back = static_cast<double>(count_of(verdicts, Fate::is_held_back));
  EXPECT_NEAR(held_back, 2500, 174);  // four standard deviations
}

TEST(Line, TheSameSeedMakesTheSameChoices) {
  const LineOptions options{.jitter = 1ms, .loss = 0.3, .reorder = 0.3, .held_back = 1ms};
  const auto fates = [&options](std::uint64_t seed) {
    std::vector<Fate> fates;
    for (const Passage& one : pass(options, 1000, 60, 1us, seed)) fates.push_back(one.fate);
    return fates;
  };
  EXPECT_EQ(fates(7), fates(7));
  EXPECT_NE(fates(7), fates(8));
}

/// Beside a plain container, packets of all sizes, among them some larger than a block.
TEST(PacketFifo, GivesBackWhatWasPutIn) {
  netmap::test::Random random(1);
  PacketFifo fifo;
  std::deque<std::pair<Clock::time_point, std::vector<std::byte>>> expected;
  std::size_t footprint = 0;
  for (int step = 0; step < 20'000; ++step) {
    const bool grows = step / 5000 % 2 == 0;
    if (random.below(10) < (grows ? 7U : 3U)) {
      const std::size_t bytes = random.one_in(100) ? random.below(400'000) : random.below(3000);
      const auto room = fifo.room(bytes);
      ASSERT_EQ(room.size(), bytes);
      if (random.one_in(20)) continue;  // nothing came of it
      const std::size_t kept = random.one_in(10) ? bytes / 2 : bytes;
      std::memset(room.data(), step % 251, bytes);
      fifo.push(opening + std::chrono::nanoseconds(step), kept);
      expected.emplace_back(opening + std::chrono::nanoseconds(step),
                            std::vector<std::byte>(kept, static_cast<std::byte>(step % 251)));
      footprint += PacketFifo::footprint(kept);
    } else if (!expected.empty()) {
      const auto [due, bytes] = fifo.front();
      EXPECT_EQ(due, expected.front().first);
      ASSERT_TRUE(std::ranges::equal(bytes, expected.front().second));
      footprint -= PacketFifo::footprint(bytes.size());
      fifo.pop();
      expected.pop_front();
    }
    ASSERT_EQ(fifo.size(), expected.size());
    ASSERT_EQ(fifo.empty(), expected.empty());
    ASSERT_EQ(fifo.footprint(), footprint);
  }
}

TEST(PacketFifo, RoomThatWasNotUsedDoesNotMatter) {
  PacketFifo fifo;
  (void)fifo.room(60);
  const auto room = fifo.room(1'000'000);
  std::memset(room.data(), 7, room.size());
  fifo.push(opening, room.size());
  ASSERT_EQ(fifo.front().bytes.size(), 1'000'000U);
  EXPECT_EQ(fifo.front().bytes.back(), std::byte{7});
  fifo.pop();
  EXPECT_TRUE(fifo.empty());
}

TEST(LineOptions, OfBothWaysAreReadAlike) {
  const auto line = parse_line(
      "delay=10ms,jitter=exp:2ms,bandwidth=1.5M,queue=10k,loss=0.01,bit-errors=1e-9,"
      "reorder=0.5+3ms,hold=1G");
  ASSERT_TRUE(line) << line.error();
  EXPECT_EQ(*line, (LineOptions{.delay = 10ms,
                                .jitter = 2ms,
                                .is_exponential = true,
                                .bandwidth = 1.5e6,
                                .queue = 10'000,
                                .loss = 0.01,
                                .bit_errors = 1e-9,
                                .reorder = 0.5,
                                .held_back = 3ms,
                                .hold = 1'000'000'000}));
  EXPECT_EQ(parse_line("bandwidth=none,jitter=1ms,reorder=0", *line)->bandwidth, 0);
  EXPECT_EQ(parse_line("", *line), *line);
}

TEST(LineOptions, SayWhatIsWrong) {
  const auto sentence = [](const char* text) {
    const auto parsed = parse_line(text);
    return parsed ? std::string("nothing") : parsed.error();
  };
  EXPECT_TRUE(sentence("colour=red").starts_with("a line has no 'colour', but delay, jitter, "));
  EXPECT_TRUE(sentence("delay=5").starts_with("'5' is no duration"));
  EXPECT_TRUE(sentence("loss=2").starts_with("'2' is no probability"));
  EXPECT_TRUE(sentence("loss=").starts_with("'' is no probability"));
  EXPECT_TRUE(sentence("loss=nan").starts_with("'nan' is no probability"));
  EXPECT_TRUE(sentence("bandwidth=0").starts_with("'0' is no quantity"));
  EXPECT_TRUE(sentence("bandwidth=5T").starts_with("'5T' is no quantity"));
  EXPECT_EQ(sentence("bandwidth=1e-9"), "'1e-9' is less than a bit a second");
  EXPECT_TRUE(sentence("queue=inf").starts_with("'inf' is no quantity"));
  EXPECT_TRUE(sentence("reorder=0.1").starts_with("'0.1' does not say for how long"));
  EXPECT_TRUE(sentence("reorder=x+1ms").starts_with("'x' is no probability"));
}

}  // namespace
}  // namespace nmx
