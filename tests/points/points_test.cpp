// SPDX-License-Identifier: BSD-2-Clause
//
// A forwarder dies, or is stopped for a while, at every point that the library names. The packets
// it forwards arrive, each once and in order, and in the end nothing is missing. NETMAP_ROUNDS says
// how often each point is tried.
#include "points/points.hpp"

#include <future>
#include <memory>

#include <gmock/gmock.h>

namespace netmap::embedded {
namespace {

TEST_F(Points, AreMany) {
  EXPECT_GE(points::all().size(), 20U);
}

TEST_F(Points, KillNobodyElse) {
  kill_at(points_of_pipes());
}

TEST_F(Points, StopNobodyElse) {
  stop_at(points_of_pipes(), 50);
}

TEST_F(Points, StopOfWhoOpensWithOffsetsLeavesThoseOfPacketsThatComeMeanwhile) {
  auto sender = open("x{7", with_offsets);
  Shared<std::atomic<bool>> is_open;
  Shared<std::atomic<std::size_t>> offset;
  Process receiver([&] {
    chosen = "offsets: looked";
    passes = 1;  // at the tx ring, of which nobody else has slots now
    signal_there = SIGSTOP;
    points::reached = strike;
    auto port = open("x}7", with_offsets);
    *is_open = true;
    if (must(port.wait(Direction::rx, patience)).empty()) return false;
    *offset = port.rx_rings()[0].slots().front().offset();
    return true;
  });
  ASSERT_TRUE(await([&] { return *is_open || is_struck(receiver); }));
  must(sender.tx_rings()[0].slots().front().set_offset(48));
  ASSERT_TRUE(send_number(sender.tx_rings()[0], 0));
  must(sender.sync_tx());
  ::kill(receiver.id(), SIGCONT);
  EXPECT_TRUE(receiver.succeeded());
  EXPECT_EQ(*offset, 48U);
}

/// A domain more, with its ends.
struct Elsewhere : Points {
  using Points::await_strike;
  using Points::is_locked;
  using Points::start_victim;
  using Points::try_open;
  void TestBody() override {}
};

struct Stopped {
  const char* point;
  std::unique_ptr<Elsewhere> place;
  Process who;
};

/// Everybody who has a lock, each in a domain of its own.
std::vector<Stopped> stop_who_has_a_lock() {
  std::vector<Stopped> all;
  for (const char* point : points_of_pipes()) {
    auto place = std::make_unique<Elsewhere>();
    Process victim = place->start_victim(point, SIGSTOP, Random(1));
    EXPECT_TRUE(place->await_strike(victim)) << point << " is never reached";
    if (place->is_locked()) all.push_back({point, std::move(place), std::move(victim)});
  }
  return all;
}

/// Each waits for seconds, so they wait at the same time.
TEST(Stops, WithTheLockLetOthersOpenFailWithASentenceAndThenSucceed) {
  const auto stopped = stop_who_has_a_lock();
  EXPECT_GE(stopped.size(), 10U);
  std::vector<std::future<Result<Port>>> opens;
  for (const Stopped& one : stopped) {
    opens.push_back(
        std::async(std::launch::async, [&one] { return one.place->try_open("z{1", small); }));
  }
  for (std::size_t i = 0; i != stopped.size(); ++i) {
    SCOPED_TRACE(stopped[i].point);
    const auto opened = opens[i].get();
    EXPECT_EQ(code_of(opened), std::errc::timed_out);
    EXPECT_THAT(message_of(opened),
                testing::HasSubstr("has been locked for seconds by the process " +
                                   std::to_string(stopped[i].who.id()) +
                                   "; it may be stopped: continue or end it"));
    ::kill(stopped[i].who.id(), SIGCONT);
    EXPECT_EQ(message_of(stopped[i].place->try_open("z{1", small)), "");
  }
}

}  // namespace
}  // namespace netmap::embedded
