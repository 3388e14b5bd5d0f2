// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/speed.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace nmx {
namespace {

using namespace std::chrono_literals;
using Kind = Speed::Kind;
using Times = std::vector<std::chrono::nanoseconds>;

TEST(Speeds, AreRead) {
  const std::vector<std::pair<std::string, Speed>> read{{"original", {Kind::captured, 1}},
                                                        {"top", {Kind::top, 1}},
                                                        {"2x", {Kind::captured, 2}},
                                                        {"0.5x", {Kind::captured, 0.5}},
                                                        {"1pps", {Kind::packets, 1}},
                                                        {"1.5kpps", {Kind::packets, 1500}},
                                                        {"14.88Mpps", {Kind::packets, 14.88e6}},
                                                        {"1Gbps", {Kind::bits, 1e9}},
                                                        {"10Gbps-wire", {Kind::wire_bits, 1e10}}};
  for (const auto& [text, speed] : read) EXPECT_EQ(parse_speed(text), speed) << text;
}

TEST(Speeds, ThatAreNoneAreASentence) {
  for (const char* text : {"", "fast", "x", "2", "0x", "-1x", "1Gx2", "nanx", "infx", "1 Gbps",
                           "1gbps", "1e9bps", "9999999999Gbps"}) {
    const auto parsed = parse_speed(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error(), testing::HasSubstr(std::string("'") + text + "' is no speed"));
  }
}

/// When packets of these times and 1000 bytes each are due.
Times due(const std::string& speed, const Times& captured) {
  Schedule schedule(*parse_speed(speed));
  Times times;
  for (const auto time : captured) times.push_back(schedule.next(time, 1000));
  return times;
}

TEST(Schedules, KeepOrScaleTheDistances) {
  const Times captured{1'700'000'000'000'000'007ns, 1'700'000'000'000'000'008ns,
                       1'700'000'001'000'000'007ns};
  EXPECT_EQ(due("original", captured), (Times{0ns, 1ns, 1s}));
  EXPECT_EQ(due("4x", captured), (Times{0ns, 0ns, 250ms}));
  EXPECT_EQ(due("0.5x", captured), (Times{0ns, 2ns, 2s}));
  EXPECT_EQ(due("top", captured), (Times{0ns, 0ns, 0ns}));
}

TEST(Schedules, HaveARateOfPacketsOrBits) {
  const Times captured(3);
  EXPECT_EQ(due("1kpps", captured), (Times{0ns, 1ms, 2ms}));
  EXPECT_EQ(due("8Mbps", captured), (Times{0ns, 1ms, 2ms}));
  EXPECT_EQ(due("8Mbps-wire", captured), (Times{0ns, 1024us, 2048us}));
}

TEST(Schedules, NeverGoBack) {
  EXPECT_EQ(due("original", {5s, 7s, 6s, 4s, 8s}), (Times{0s, 2s, 2s, 2s, 3s}));
}

TEST(Schedules, AreBoundedWhateverAFileHolds) {
  constexpr auto far = 4'000'000'000'000'000'000ns;
  for (const std::string speed : {"original", "0.001x", "1.5x"}) {
    EXPECT_EQ(due(speed, {0ns, 9'000'000'000'000'000'000ns}), (Times{0ns, far})) << speed;
    EXPECT_EQ(due(speed, {9'000'000'000'000'000'000ns, 0ns}), (Times{0ns, 0ns})) << speed;
  }
}

TEST(Schedules, BeginAnewWhereTheyEnded) {
  Schedule original(Speed{});
  Schedule steady(*parse_speed("1kpps"));
  Times due;
  for (int pass = 0; pass < 2; ++pass) {
    for (const auto time : {1s, 3s}) due.push_back(original.next(time, 60));
    (void)steady.next(0s, 60);
    original.begin_anew();
    steady.begin_anew();
  }
  EXPECT_EQ(due, (Times{0s, 2s, 2s, 4s}));
  EXPECT_EQ(steady.next(0s, 60), 2ms);
}

}  // namespace
}  // namespace nmx
