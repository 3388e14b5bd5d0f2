// SPDX-License-Identifier: BSD-2-Clause
//
// Sends, receives or forwards frames through interfaces, and prints how many, in millions a second:
//
//     bench_nic send    INTERFACE BYTES [headers]              [generic] [busy]
//     bench_nic recv    INTERFACE poll|spin                    [generic] [busy]
//     bench_nic forward INTERFACE INTERFACE poll|spin          [generic] [busy]
//
// Frames have an EtherType that no host knows. Every byte of those sent is written, or as many as
// testpmd writes, 42; every byte of those received is read; 64 at a time.
#include <netmap/netmap.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace {

using netmap::Direction;
using netmap::Port;
using Clock = std::chrono::steady_clock;

constexpr std::size_t batch = 64;
std::uint64_t sum = 0;  // of all that was read
netmap::DeviceOptions device{.kind = netmap::DeviceKind::embedded};

Port open(const std::string& name, const std::string& how) {
  netmap::PortOptions options{.device = device};
  if (how == "spin") options.spin = std::chrono::milliseconds(100);
  auto port = netmap::open(name, options);
  if (port) return std::move(*port);
  std::fprintf(stderr, "%s\n", port.error().message().c_str());
  std::exit(1);
}

std::size_t send(Port& port, std::span<const std::byte> frame, std::size_t written) {
  netmap::TxRing& ring = port.tx_rings()[0];
  const auto slots = ring.slots();
  std::size_t sent = 0;
  for (auto slot : slots) {
    if (sent == batch) break;
    std::memcpy(slot.buffer().data(), frame.data(), written);
    (void)slot.set_length(frame.size());
    ++sent;
  }
  (void)ring.commit(slots.begin() + static_cast<std::ptrdiff_t>(sent));
  (void)port.sync_tx();
  return sent;
}

std::size_t receive(Port& port) {
  (void)port.wait(Direction::rx, std::chrono::milliseconds(100));
  netmap::RxRing& ring = port.rx_rings()[0];
  std::size_t received = 0;
  for (const netmap::Packet& packet : ring.packets(batch)) {
    const auto bytes = packet.front();
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, &bytes[at], 8);
      sum += word;
    }
    ++received;
  }
  (void)ring.release(ring.slots().begin() + static_cast<std::ptrdiff_t>(received));
  return received;
}

std::size_t forward(Port& from, Port& to) {
  (void)from.wait(Direction::rx, std::chrono::milliseconds(100));
  const auto done = netmap::forward(from.rx_rings()[0], to.tx_rings()[0], batch);
  (void)to.sync_tx();
  return done ? done->packets : 0;
}

/// After a while, for a while.
double millions_a_second(const std::function<std::size_t()>& work) {
  const auto start = Clock::now() + std::chrono::milliseconds(200);
  while (Clock::now() < start) work();
  std::size_t packets = 0;
  const auto begin = Clock::now();
  auto now = begin;
  for (; now - begin < std::chrono::milliseconds(400); now = Clock::now()) packets += work();
  return static_cast<double>(packets) /
         std::chrono::duration<double, std::micro>(now - begin).count();
}

std::vector<std::byte> frame(std::size_t bytes) {
  std::vector<std::byte> made(std::max<std::size_t>(bytes, 14), std::byte{0x5a});
  std::ranges::fill(std::span(made).first(6), std::byte{0xff});
  made[6] = std::byte{2};
  made[12] = std::byte{0x88};
  made[13] = std::byte{0xb5};
  return made;
}

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string> arguments(words + 1, words + count);
  const std::string what = count > 3 ? arguments[0] : "";
  const auto has = [&](const char* word) { return std::ranges::count(arguments, word) != 0; };
  if (has("generic")) device.xdp = netmap::XdpMode::generic;
  device.busy_poll = has("busy");
  double rate = 0;
  if (what == "send") {
    Port port = open(arguments[1], "");
    const auto bytes = frame(std::stoul(arguments[2]));
    const std::size_t written =
        has("headers") ? std::min<std::size_t>(bytes.size(), 42) : bytes.size();
    rate = millions_a_second([&] { return send(port, bytes, written); });
  } else if (what == "recv") {
    Port port = open(arguments[1], arguments[2]);
    rate = millions_a_second([&] { return receive(port); });
  } else if (what == "forward" && count > 4) {
    Port from = open(arguments[1], arguments[3]);
    Port to = open(arguments[2], arguments[3]);
    rate = millions_a_second([&] { return forward(from, to); });
  } else {
    std::fputs("usage: see the head of bench/nic/main.cpp\n", stderr);
    return 2;
  }
  std::printf("%.3f\n", rate);
  return sum == 1 ? 1 : 0;
}
