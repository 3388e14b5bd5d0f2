// SPDX-License-Identifier: BSD-2-Clause
//
// A pipe between processes, one of which is killed. The first receiver takes 300 of 1000 numbers
// and dies by SIGKILL; the next one opens the same end and has the other 700: what was not released
// stays in the ring. A port is of the process that opened it, so each opens its own after fork().
//
//     example_pipe_processes        (the embedded device's pipes outlive a killed process)
#include <netmap/netmap.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <span>

#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using netmap::Direction;

constexpr std::uint32_t count = 1000;

int send_all() {
  auto port = netmap::open("netmap:processes{1").value();
  for (std::uint32_t number = 0; number != count; ++number) {
    port.tx_rings()[0].send(std::as_bytes(std::span(&number, 1))).value();
  }
  return port.drain(10s).value() == 0 ? 0 : 1;  // until somebody has taken all of them
}

/// Takes the numbers from `next` to `end`, and gives them back.
int receive(std::uint32_t next, std::uint32_t end) {
  auto port = netmap::open("netmap:processes}1").value();
  while (next != end) {
    if (port.wait(Direction::rx, 5s).value().empty()) return 1;
    const auto take = [&](const netmap::Packet& packet) {
      std::uint32_t number = 0;
      std::memcpy(&number, packet.front().data(), std::min(sizeof number, packet.front().size()));
      if (number == next) ++next;
    };
    port.rx_rings()[0].for_each(take, end - next);
  }
  port.sync_rx().value();  // from here on they are the sender's again
  if (end != count) std::raise(SIGKILL);
  return 0;
}

template <class Work>
pid_t start(Work work) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    ::_exit(work());
  } catch (const std::bad_expected_access<netmap::Error>& failure) {
    std::fprintf(stderr, "%s\n", failure.error().message().c_str());
    ::_exit(1);
  }
}

int wait_for(pid_t child) {
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

int main() {
  const pid_t sender = start(send_all);
  const int first = wait_for(start([] { return receive(0, 300); }));
  if (WIFSIGNALED(first)) std::printf("the first receiver was killed after 300 numbers\n");
  const int second = wait_for(start([] { return receive(300, count); }));
  if (second == 0) std::printf("the second one received the other 700\n");
  return second == 0 && wait_for(sender) == 0 ? 0 : 1;
}
