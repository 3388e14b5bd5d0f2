// SPDX-License-Identifier: BSD-2-Clause
//
// Ports among other descriptors in a loop of one's own around poll(2): here two receivers and a
// timer. Whoever sleeps has to ask for the wake-up first: arm(), which looks once more and says
// whether there is a reason to sleep; and disarm() afterwards. See netmap::Alarm and epoll_loop.cpp
// for loops that run in a thread of their own.
//
//     example_poll_loop
#include <netmap/netmap.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <thread>

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

using netmap::Direction;

constexpr int count = 200;

/// A packet to each of the ports, now and then.
void send(std::array<netmap::Port, 2>& ports) {
  const std::array<std::byte, 60> packet{};
  for (int n = 0; n != count; ++n) {
    netmap::Port& port = ports[static_cast<std::size_t>(n % 2)];
    port.tx_rings()[0].send(packet).value();
    port.sync_tx().value();
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
}

/// Sleeps until a port has something, or `timer` has run out; yields whether that has.
bool sleep(std::array<netmap::Port, 2>& ports, int timer) {
  std::array<pollfd, 3> handles{};
  handles[2] = {timer, POLLIN, 0};
  bool is_idle = true;
  for (std::size_t n = 0; n != ports.size(); ++n) {
    const netmap::WaitHandle handle = ports[n].wait_handle(Direction::rx);
    handles[n] = {handle.fd, handle.events, 0};
    is_idle = ports[n].arm(Direction::rx).value() && is_idle;
  }
  if (is_idle) ::poll(handles.data(), handles.size(), -1);
  for (netmap::Port& port : ports) port.disarm(Direction::rx);
  return handles[2].revents != 0;
}

int main() try {
  std::array senders{netmap::open("netmap:poll{1").value(), netmap::open("netmap:poll{2").value()};
  std::array ports{netmap::open("netmap:poll}1").value(), netmap::open("netmap:poll}2").value()};
  const int timer = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  const itimerspec in_ten_seconds{.it_interval = {}, .it_value = {10, 0}};
  if (timer < 0 || ::timerfd_settime(timer, 0, &in_ten_seconds, nullptr) != 0) return 1;

  const std::jthread sending([&] { send(senders); });
  std::size_t received = 0;
  while (received != count && !sleep(ports, timer)) {
    for (netmap::Port& port : ports) {
      port.sync_rx().value();
      received += port.rx_rings()[0].for_each([](const netmap::Packet&) {});
    }
  }
  ::close(timer);
  std::printf("%zu packets received\n", received);
  return received == count ? 0 : 1;
} catch (const std::bad_expected_access<netmap::Error>& failure) {
  std::fprintf(stderr, "%s\n", failure.error().message().c_str());
  return 1;
}
