// SPDX-License-Identifier: BSD-2-Clause
//
// Round trips over a pipe: one thread sends a packet and waits until it is back, the other sends
// back whatever comes, without copying it. Prints how long that took.
//
//     example_ping_pong [COUNT]
#include <netmap/netmap.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

void wait_for_packets(netmap::Port& port) {
  if (port.wait(netmap::Direction::rx, 5s).value().empty()) {
    throw std::bad_expected_access(
        netmap::Error(std::make_error_code(std::errc::timed_out), "nothing came for five seconds"));
  }
}

void echo(netmap::Port& port, std::size_t count) {
  for (std::size_t echoed = 0; echoed != count;) {
    wait_for_packets(port);
    echoed += netmap::forward(port.rx_rings()[0], port.tx_rings()[0]).value().packets;
    port.sync_tx().value();
  }
}

Clock::duration round_trip(netmap::Port& port) {
  std::array<std::byte, 60> packet{};
  const auto start = Clock::now();
  port.tx_rings()[0].send(packet).value();
  port.sync_tx().value();  // the other end may see it from here on
  wait_for_packets(port);
  port.rx_rings()[0].receive(packet).value();
  return Clock::now() - start;
}

int main(int argc, char** argv) try {
  const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10'000;
  auto caller = netmap::open("netmap:pingpong{1").value();
  auto called = netmap::open("netmap:pingpong}1").value();
  auto echoing = std::async(std::launch::async, [&] { echo(called, count); });

  Clock::duration shortest = Clock::duration::max(), longest{}, sum{};
  for (std::size_t n = 0; n != count; ++n) {
    const auto time = round_trip(caller);
    shortest = std::min(shortest, time);
    longest = std::max(longest, time);
    sum += time;
  }
  echoing.get();  // throws what echo() threw
  const auto us = [](Clock::duration time) {
    return std::chrono::duration<double, std::micro>(time).count();
  };
  std::printf("%zu round trips: min %.1f, mean %.1f, max %.1f µs\n", count, us(shortest),
              us(sum) / static_cast<double>(count), us(longest));
} catch (const std::bad_expected_access<netmap::Error>& failure) {
  std::fprintf(stderr, "%s\n", failure.error().message().c_str());
  return 1;
}
