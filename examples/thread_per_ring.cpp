// SPDX-License-Identifier: BSD-2-Clause
//
// A port of four rings, and a thread for each, pinned to a CPU. Every ring is opened by itself:
// then a thread's syncs touch its own ring and nobody else's, and nothing is locked.
//
//     example_thread_per_ring
#include <netmap/netmap.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <future>
#include <vector>

#include <sched.h>

using namespace std::chrono_literals;
using netmap::Direction;

constexpr std::size_t count = 20'000;  // packets through each ring
constexpr int rings = 4;

/// The CPUs that this process may use.
std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  std::vector<int> cpus;
  for (int cpu = 0; cpu != CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

/// Of the calling thread.
void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) {
    const std::error_code why(errno, std::system_category());
    throw std::bad_expected_access(netmap::Error(why, "cannot pin a thread: " + why.message()));
  }
}

void send(netmap::Port& port, int cpu) {
  pin_to(cpu);
  const std::array<std::byte, 60> packet{};
  netmap::TxRing& ring = port.tx_rings()[0];  // the only one of this port
  for (std::size_t sent = 0; sent != count; port.sync_tx().value()) {
    if (port.wait(Direction::tx, 5s).value().empty()) return;
    while (sent != count && ring.send(packet)) ++sent;
  }
}

struct Received {
  std::size_t packets;
  int cpu;  // where they were received
};

Received receive(netmap::Port& port, int cpu) {
  pin_to(cpu);
  std::size_t received = 0;
  while (received != count && !port.wait(Direction::rx, 5s).value().empty()) {
    received += port.rx_rings()[0].for_each([](const netmap::Packet&) {});
  }
  return {received, ::sched_getcpu()};
}

int main() try {
  const netmap::PortOptions options{.conf = {.tx_rings = rings, .rx_rings = rings}};
  auto senders = netmap::open_each_ring("netmap:rings{1", options).value();
  auto receivers = netmap::open_each_ring("netmap:rings}1", options).value();
  const std::vector<int> cpus = allowed_cpus();
  const auto cpu_of = [&](std::size_t ring) { return cpus[ring % cpus.size()]; };

  std::vector<std::future<void>> sending;
  std::vector<std::future<Received>> receiving;
  for (std::size_t ring = 0; ring != rings; ++ring) {
    const auto start = std::launch::async;
    receiving.push_back(std::async(start, receive, std::ref(receivers[ring]), cpu_of(ring)));
    sending.push_back(std::async(start, send, std::ref(senders[ring]), cpu_of(ring + 1)));
  }
  bool is_good = true;
  for (std::size_t ring = 0; ring != rings; ++ring) {
    const auto [packets, cpu] = receiving[ring].get();
    sending[ring].get();
    std::printf("ring %zu on CPU %d: %zu packets\n", ring, cpu, packets);
    is_good = is_good && packets == count && cpu == cpu_of(ring);
  }
  return is_good ? 0 : 1;
} catch (const std::bad_expected_access<netmap::Error>& failure) {
  std::fprintf(stderr, "%s\n", failure.error().message().c_str());
  return 1;
}
