// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/dedup_window.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace nmx {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point start{1h};

/// Whether the packet would be dropped; it is kept if not.
bool is_dropped(DedupWindow& window, std::string_view packet, Clock::time_point now = start) {
  window.begin();
  window.add(std::as_bytes(std::span(packet)));
  if (window.is_duplicate(now)) return true;
  window.keep(now);
  return false;
}

TEST(NmxDedupWindow, ASecondOneIsADuplicate) {
  DedupWindow window(10, 50us);
  EXPECT_FALSE(is_dropped(window, "packet"));
  EXPECT_TRUE(is_dropped(window, "packet"));
  EXPECT_TRUE(is_dropped(window, "packet", start + 50us));
}

TEST(NmxDedupWindow, EveryByteAndTheLengthCount) {
  const std::string packet(100, 'x');
  for (std::size_t at = 0; at != packet.size(); ++at) {
    DedupWindow window(10, 50us);
    std::string other = packet;
    other[at] = 'y';
    EXPECT_FALSE(is_dropped(window, packet));
    EXPECT_FALSE(is_dropped(window, other)) << at;
    EXPECT_FALSE(is_dropped(window, std::string_view(packet).substr(0, at))) << at;
  }
}

TEST(NmxDedupWindow, WhatIsTooOldDoesNotCount) {
  DedupWindow window(10, 50us);
  EXPECT_FALSE(is_dropped(window, "packet"));
  EXPECT_FALSE(is_dropped(window, "packet", start + 51us));
  EXPECT_TRUE(is_dropped(window, "packet", start + 101us)) << "the second one counts from then";
}

TEST(NmxDedupWindow, ADuplicateDoesNotProlongTheWindow) {
  DedupWindow window(10, 50us);
  EXPECT_FALSE(is_dropped(window, "packet"));
  EXPECT_TRUE(is_dropped(window, "packet", start + 40us));
  EXPECT_FALSE(is_dropped(window, "packet", start + 60us));
}

TEST(NmxDedupWindow, OnlyTheLastPacketsCount) {
  DedupWindow window(2, 50us);
  EXPECT_FALSE(is_dropped(window, "a"));
  EXPECT_FALSE(is_dropped(window, "b"));
  EXPECT_TRUE(is_dropped(window, "a"));
  EXPECT_FALSE(is_dropped(window, "c"));
  EXPECT_FALSE(is_dropped(window, "a")) << "two others came after it";
  EXPECT_TRUE(is_dropped(window, "c"));
}

TEST(NmxDedupWindow, WhatWasNotPassedOnIsNotKept) {
  DedupWindow window(2, 50us);
  for (int i = 0; i != 3; ++i) {
    window.begin();
    window.add(std::as_bytes(std::span("ab", 2)));
    EXPECT_FALSE(window.is_duplicate(start));
  }
}

TEST(NmxDedupWindow, HowAPacketIsCutDoesNotCount) {
  DedupWindow window(2, 50us);
  EXPECT_FALSE(is_dropped(window, "packet"));
  window.begin();
  window.add(std::as_bytes(std::span("pac", 3)));
  window.add(std::as_bytes(std::span("ket", 3)));
  EXPECT_TRUE(window.is_duplicate(start));
}

TEST(NmxDedupWindow, DoesWhatAPlainListDoes) {
  constexpr std::size_t packets = 5;
  DedupWindow window(packets, 20us);
  std::deque<std::pair<std::string, Clock::time_point>> model;
  std::mt19937 random(1);
  auto now = start;
  for (int i = 0; i != 20'000; ++i) {
    now += std::chrono::microseconds(random() % 4);
    const std::string packet(1 + random() % 8, 'x');
    bool is_expected = false;
    for (const auto& [kept, time] : model) is_expected |= kept == packet && now - time <= 20us;
    ASSERT_EQ(is_dropped(window, packet, now), is_expected) << i;
    if (is_expected) continue;
    model.emplace_back(packet, now);
    if (model.size() > packets) model.pop_front();
  }
}

}  // namespace
}  // namespace nmx
