// SPDX-License-Identifier: BSD-2-Clause
//
// The parts of nmx ping and pong that need no port.
#include "nmx/duration.hpp"
#include "nmx/ping_packet.hpp"
#include "nmx/ping_report.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <vector>

namespace nmx {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr MacAddress here{2, 0, 0, 0, 0, 1};
constexpr MacAddress there{2, 0, 0, 0, 0, 2};
constexpr MacAddress own{2, 0, 0, 0, 0, 3};
constexpr MacAddress everybody{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

Header header(const MacAddress& from, const MacAddress& to, const Endpoints& endpoints) {
  HeaderBuilder builder(from, to);
  builder.set(endpoints, 60);
  return builder.plain();
}

constexpr Endpoints going{{0x0a000001, 1000}, {0x0a010002, 2000}};
constexpr Endpoints coming{going.destination, going.source};

TEST(NmxDuration, HasAUnit) {
  EXPECT_EQ(parse_duration("250ns"), 250ns);
  EXPECT_EQ(parse_duration("100us"), 100us);
  EXPECT_EQ(parse_duration("100µs"), 100us);
  EXPECT_EQ(parse_duration("1.5ms"), 1'500us);
  EXPECT_EQ(parse_duration("2s"), 2s);
  EXPECT_EQ(parse_duration("0"), 0s);
  EXPECT_EQ(parse_duration("0ms"), 0s);
  EXPECT_EQ(parse_duration("86400s"), 24h);
}

TEST(NmxDuration, AnythingElseIsRefused) {
  for (const char* text : {"", "5", "us", "-1us", "1 s", "1e3s", "1sec", "s1", "nan", "nans",
                           "infs", "86401s", "99999999999999999999999s", "1us "}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error(), HasSubstr("'" + std::string(text) + "' is no duration")) << text;
  }
  EXPECT_FALSE(parse_positive_duration("0"));
  EXPECT_FALSE(parse_positive_duration("x"));
  EXPECT_EQ(parse_positive_duration("1ns"), 1ns);
}

TEST(NmxPingPacket, KeepsItsNumberOnTheWayThereAndBack) {
  for (const std::size_t size : {shortest_ping, std::size_t{60}, std::size_t{9000}}) {
    PingWriter writer(header(here, there, going), size, 7);
    for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1} << 40, UINT64_MAX}) {
      const auto made = writer.make(number);
      std::vector<std::byte> frame(made.begin(), made.end());
      EXPECT_EQ(frame.size(), size);
      EXPECT_EQ(number_of_ping(frame, 7), number);
      turn_round(frame, own);
      EXPECT_EQ(number_of_ping(frame, 7), number);
    }
  }
}

TEST(NmxPingPacket, OfAnotherRunOrCutOrNoUdpIsNone) {
  PingWriter writer(header(here, there, going), 60, 7);
  const auto made = writer.make(3);
  EXPECT_FALSE(number_of_ping(made, 8));
  EXPECT_FALSE(number_of_ping(made.first(shortest_ping - 1), 7));
  EXPECT_FALSE(number_of_ping({}, 7));
  for (const std::size_t at : {12U, 14U, 23U}) {
    std::vector<std::byte> frame(made.begin(), made.end());
    frame[at] ^= std::byte{1};
    EXPECT_FALSE(number_of_ping(frame, 7)) << at;
  }
}

TEST(NmxTurnRound, ExchangesBothEnds) {
  Header frame = header(here, there, going);
  turn_round(frame, own);
  EXPECT_EQ(frame, header(there, here, coming));
}

TEST(NmxTurnRound, WhatWasForAGroupComesFromWhoAnswers) {
  for (const MacAddress& group : {everybody, MacAddress{1, 0, 0x5e, 0, 0, 1}}) {
    Header frame = header(here, group, going);
    turn_round(frame, own);
    EXPECT_EQ(frame, header(own, here, coming));
  }
}

PingStats some_stats() {
  PingStats stats{.sent = 5, .lost = 1, .duplicates = 2, .late = 3};
  for (const std::uint64_t time : {1'000U, 2'000U, 3'000U, 250U}) stats.round_trips.add(time);
  return stats;
}

TEST(NmxPingReport, AnIntervalIsALineWithWhatWentWrongAtItsEnd) {
  EXPECT_EQ(interval_line(some_stats()),
            "        4 answers  µs: min     0.250  avg     1.562  p50     1.003  p99     3.000; 1 "
            "lost, 2 duplicate, 3 late");
  EXPECT_EQ(interval_line(PingStats{.sent = 9, .lost = 9}), "no answers; 9 lost");
  EXPECT_EQ(interval_line(PingStats()), "no answers");
}

TEST(NmxPingReport, TheTotalIsAsPeopleReadIt) {
  PingStats stats = some_stats();
  EXPECT_EQ(total_text(stats),
            "5 sent, 4 answered, 1 lost, 2 duplicate, 3 late\n"
            "round trip µs: min 0.250, avg 1.562, p50 1.003, p90 3.000, p99 3.000, p99.9 3.000, "
            "max 3.000\n");
  stats.lateness.add(90);
  EXPECT_THAT(total_text(stats), HasSubstr("sent late  µs: min 0.090, "));
  EXPECT_EQ(total_text(PingStats{.sent = 3, .lost = 3, .without_room = 2}),
            "3 sent, 0 answered, 3 lost, 0 duplicate, 0 late\n"
            "2 never left: nobody took what was in the ring\n");
}

TEST(NmxPingReport, JsonHasEveryFieldAlsoOfNothing) {
  const Json json = to_json(some_stats());
  EXPECT_EQ(json["answered"], 4);
  EXPECT_EQ(json["round_trip_ns"]["min"], 250);
  EXPECT_EQ(json["round_trip_ns"]["p99.9"], 3'000);
  EXPECT_EQ(json["round_trip_ns"]["avg"], 1562.5);
  const Json nothing = to_json(PingStats());
  for (const auto& [field, value] : json.items()) EXPECT_TRUE(nothing.contains(field)) << field;
  EXPECT_TRUE(nothing["round_trip_ns"].is_null());
  EXPECT_EQ(to_json(some_stats().round_trips).dump(),
            R"([{"first_ns":250,"last_ns":250,"count":1},{"first_ns":1000,"last_ns":1003,)"
            R"("count":1},{"first_ns":2000,"last_ns":2007,"count":1},)"
            R"({"first_ns":2992,"last_ns":3007,"count":1}])");
}

TEST(NmxPingReport, BarsAreAsLongAsTheirShareAndNoneVanishes) {
  Histogram histogram;
  for (int i = 0; i < 1000; ++i) histogram.add(10);
  for (int i = 0; i < 500; ++i) histogram.add(11);
  histogram.add(13);
  EXPECT_EQ(bars(histogram),
            "       0.010 …        0.010 µs       1000 ########################################\n"
            "       0.011 …        0.011 µs        500 ####################\n"
            "       0.012 …        0.012 µs          0\n"
            "       0.013 …        0.013 µs          1 #\n");
  EXPECT_EQ(bars({}), "");
}

TEST(NmxPingStats, AddUp) {
  PingLog log;
  log.update([](PingStats& stats) { stats = some_stats(); });
  PingStats total = log.take();
  EXPECT_EQ(log.take().sent, 0);
  total.merge(some_stats());
  EXPECT_EQ(total.sent, 10);
  EXPECT_EQ(total.answered(), 8);
  EXPECT_EQ(total.lost, 2);
  EXPECT_EQ(total.duplicates, 4);
  EXPECT_EQ(total.late, 6);
}

}  // namespace
}  // namespace nmx
