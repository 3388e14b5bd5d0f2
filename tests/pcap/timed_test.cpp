// SPDX-License-Identifier: BSD-2-Clause
//
// Captures that are played as fast as they were captured: never early, always woken.
#include "pcap/support.hpp"

#include <algorithm>
#include <cstdint>
#include <thread>

#include <poll.h>

namespace netmap::pcap {
namespace {

using Clock = std::chrono::steady_clock;

class Timed : public WithFiles {
 protected:
  /// Small packets with these times after the first one's.
  [[nodiscard]] Port open_timed(const std::vector<std::chrono::nanoseconds>& times,
                                const Format& format = formats[2]) const {
    auto sent = records(std::vector<std::size_t>(times.size(), 60));
    for (std::size_t n = 0; n != times.size(); ++n) sent[n].time = 1000s + times[n];
    return open("pcap:rx=" + write(capture(format, sent)) + ",timed");
  }
};

TEST_F(Timed, NoPacketComesBeforeItsTimeAndAllCome) {
  const std::vector<std::chrono::nanoseconds> times{0ns, 3ms, 3ms, 3'000'001ns, 10ms};
  for (const Format& format : formats) {
    SCOPED_TRACE(format);
    const std::chrono::nanoseconds unit(format.has_nanoseconds ? 1 : 1000);
    Port port = open_timed(times, format);
    const auto start = Clock::now();
    std::size_t next = 0;
    while (next != times.size()) {
      ASSERT_FALSE(must(port.wait(Direction::rx, patience)).empty());
      const auto shown = take(port.rx_rings()[0]);
      const auto now = Clock::now();
      for (const Bytes& packet : shown) {
        EXPECT_EQ(packet, content(next, 60));
        EXPECT_GE(now - start, times[next] / unit * unit);
        ++next;
      }
    }
    EXPECT_EQ(code_of(port.wait(Direction::rx)), errc::end_of_capture);
  }
}

TEST_F(Timed, WhatIsFarAwayIsNotShownYet) {
  Port port = open_timed({0ns, 0ns, 24h});
  must(port.wait(Direction::rx));
  EXPECT_EQ(take(port.rx_rings()[0]).size(), 2U);
  EXPECT_TRUE(must(port.wait(Direction::rx, 1ms)).empty());
  must(port.sync_rx());
  EXPECT_TRUE(port.rx_rings()[0].packets().empty());
}

TEST_F(Timed, TimeThatGoesBackIsNotWaitedFor) {
  Port port = open_timed({0ns, 1ms, -500s, 0ns});
  std::size_t count = 0;
  while (port.wait(Direction::rx)) count += take(port.rx_rings()[0]).size();
  EXPECT_EQ(count, 4U);
}

TEST_F(Timed, TimesBeyondAllReasonAreWaitedForInPeace) {
  auto sent = records({60, 60});
  sent[0].time = 0ns;
  sent[1].time = std::chrono::seconds(INT32_MAX);
  Bytes farthest = capture(pcapng, sent);
  const std::size_t second = capture(pcapng, {sent[0]}).size();
  std::fill_n(farthest.begin() + static_cast<std::ptrdiff_t>(second) + 12, 8, std::byte{0xff});
  for (const Bytes& file : {capture(classic, sent), capture(pcapng, sent), farthest}) {
    Port port = open("pcap:rx=" + write(file) + ",timed");
    must(port.wait(Direction::rx));
    EXPECT_EQ(take(port.rx_rings()[0]).size(), 1U);
    EXPECT_TRUE(must(port.wait(Direction::rx, 1ms)).empty());
  }
}

TEST_F(Timed, TheTimeOfTheFirstSyncIsTheBeginning) {
  Port port = open_timed({0ns, 2ms});
  std::this_thread::sleep_for(5ms);  // waits for nothing: time that passes, and must not count
  const auto start = Clock::now();
  must(port.wait(Direction::rx));
  std::size_t count = take(port.rx_rings()[0]).size();
  while (count != 2) {
    must(port.wait(Direction::rx));
    count += take(port.rx_rings()[0]).size();
  }
  EXPECT_GE(Clock::now() - start, 2ms);
}

TEST_F(Timed, AnEventLoopIsWoken) {
  Port port = open_timed({0ns, 5ms});
  Alarm alarm = must(Alarm::make(port, Direction::rx));
  must(port.sync_rx());
  std::size_t count = take(port.rx_rings()[0]).size();
  ASSERT_GE(count, 1U);
  while (count != 2) {
    if (must(alarm.set(port))) {
      pollfd one{alarm.fd(), POLLIN, 0};
      ASSERT_EQ(::poll(&one, 1, 60'000), 1) << "nobody was woken";
      must(alarm.clear(port));
    }
    must(port.sync_rx());
    count += take(port.rx_rings()[0]).size();
  }
  pollfd one{alarm.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&one, 1, 0), 0) << "a wake-up is left";
}

TEST_F(Timed, AFullRingDoesNotWake) {
  auto sent = records({60, 60, 60});
  Port port =
      open("pcap:rx=" + write(capture(classic, sent)) + ",timed", {.conf = {.rx_slots = 2}});
  must(port.wait(Direction::rx));
  must(port.rx_rings()[0].seen(port.rx_rings()[0].slots().end()));
  ASSERT_TRUE(must(port.arm(Direction::rx)));
  pollfd one{port.wait_handle(Direction::rx).fd, POLLIN, 0};
  EXPECT_EQ(::poll(&one, 1, 1), 0);
  port.disarm(Direction::rx);
}

}  // namespace
}  // namespace netmap::pcap
