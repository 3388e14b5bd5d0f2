// SPDX-License-Identifier: BSD-2-Clause
//
// A port in an event loop of one's own, without Asio. The order of calls is what matters:
//
//     look at the ring; if nothing is there, sync and look again;
//     only then set the alarm, which looks once more, and wait;
//     woken, clear the alarm before touching the ring, then sync and look.
//
// Who waits without the look after set(), or sleeps when set() yields false, misses packets.
#include <netmap/netmap.hpp>

#include <array>
#include <cstdio>

#include <sys/epoll.h>
#include <unistd.h>

namespace {

/// Yields false if waiting is impossible.
bool wait(int loop, netmap::Port& port, netmap::Alarm& alarm) {
  const auto idle = alarm.set(port);
  if (!idle) return false;
  if (!*idle) return true;  // something came meanwhile
  epoll_event event{};
  const int count = ::epoll_wait(loop, &event, 1, 1000);  // here others' descriptors are served too
  return alarm.clear(port).has_value() && count >= 0;
}

}  // namespace

int main() {
  auto sender = netmap::open("netmap:loop{1");
  auto receiver = netmap::open("netmap:loop}1");
  if (!sender || !receiver) {
    return std::puts((sender ? receiver : sender).error().message().c_str()), 1;
  }
  auto alarm = netmap::Alarm::make(*receiver, netmap::Direction::rx);
  if (!alarm) return std::puts(alarm.error().message().c_str()), 1;

  const int loop = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  if (loop < 0 || ::epoll_ctl(loop, EPOLL_CTL_ADD, alarm->fd(), &event) != 0) return 1;

  const std::array<std::byte, 60> packet{};
  std::size_t received = 0;
  for (int n = 0; n != 10; ++n) {
    if (!sender->tx_rings()[0].send(packet) || !sender->sync_tx()) return 1;
    netmap::RxRing& ring = receiver->rx_rings()[0];
    for (std::size_t count = 0; count == 0; received += count) {
      if (ring.packets().empty() && !receiver->sync_rx()) return 1;
      count = ring.for_each([](const netmap::Packet&) {});
      if (count == 0 && !wait(loop, *receiver, *alarm)) return 1;
    }
  }
  ::close(loop);
  std::printf("%zu packets received\n", received);
}
