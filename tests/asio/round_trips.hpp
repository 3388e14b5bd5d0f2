// SPDX-License-Identifier: BSD-2-Clause
//
// One frame at a time, there and back: whoever misses a wake-up stops both.
#pragma once

#include "asio/support.hpp"

#include "support/random.hpp"

#include <cstring>
#include <span>
#include <stdexcept>

namespace netmap::async_test {

using Number = std::uint64_t;

/// How many packets the long tests move.
inline Number rounds() {
  const char* const asked = std::getenv("NETMAP_ROUNDS");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 3000;
}

/// A numbered broadcast that switches and NICs carry.
using Frame = std::array<std::uint8_t, 60>;
inline constexpr std::array<std::uint8_t, 14> header{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
                                                     0,    0,    0,    0,    1,    0x88, 0xb5};
inline Frame frame_of(Number number) {
  Frame frame{};
  std::ranges::copy(header, frame.begin());
  std::memcpy(frame.data() + header.size(), &number, sizeof number);
  return frame;
}
/// Others on the wire may send, too.
inline bool is_ours(const Frame& frame) {
  return std::ranges::equal(std::span(frame).first(header.size()), header);
}

/// Sometimes takes its time.
inline void dawdle(test::Random& random) {
  if (random.below(4) != 0) return;
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(random.below(40));
  while (std::chrono::steady_clock::now() < until) {
  }
}

inline net::awaitable<void> send(AsyncPort& port, const Frame& frame) {
  co_await port.tx_rings()[0].async_send(net::buffer(frame), use_awaitable);
}
inline net::awaitable<Frame> receive(AsyncPort& port) {
  Frame frame{};
  do {
    co_await port.rx_rings()[0].async_receive(net::buffer(frame), use_awaitable);
  } while (!is_ours(frame));
  co_return frame;
}

inline net::awaitable<void> ping(AsyncPort& port, Number count, test::Random random) {
  for (Number n = 0; n != count; ++n) {
    const Frame frame = frame_of(n);
    co_await send(port, frame);
    dawdle(random);
    if (co_await receive(port) != frame) throw std::runtime_error("not the packet that was sent");
  }
}

inline net::awaitable<void> pong(AsyncPort& port, Number count, test::Random random) {
  for (Number n = 0; n != count; ++n) {
    const Frame frame = co_await receive(port);
    dawdle(random);
    co_await send(port, frame);
  }
}

}  // namespace netmap::async_test
