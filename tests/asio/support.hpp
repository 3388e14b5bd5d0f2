// SPDX-License-Identifier: BSD-2-Clause
//
// Both ends of a pipe in one event loop, and what each test asks of them. The same sources are
// built for Asio and for Boost's. With NETMAP_DEVICE=kernel in the environment they test that.
#pragma once

#include <netmap/asio.hpp>
#include <netmap/netmap.hpp>

#include "cli/domain.hpp"
#include "support/result.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace netmap::async_test {

using net::use_awaitable;
using test::must;

/// How long to wait for what must happen.
inline constexpr auto patience = std::chrono::seconds(60);

inline bool is(const AsioError& error, std::error_code code) {
  return static_cast<std::error_code>(error) == code;
}
inline bool is(const AsioError& error, errc code) {
  return is(error, make_error_code(code));
}
inline bool is_aborted(const AsioError& error) {
  return error == net::error::operation_aborted;
}

class OnPipe : public testing::Test {
 protected:
  [[nodiscard]] PortOptions options(std::uint16_t rings = 1, std::uint32_t slots = 64) const {
    const bool on_module = std::getenv("NETMAP_DEVICE") != nullptr;
    return {.device = {.kind = on_module ? DeviceKind::automatic : DeviceKind::embedded,
                       .domain = domain_.path()},
            .conf = {.tx_rings = rings, .rx_rings = rings, .tx_slots = slots, .rx_slots = slots}};
  }
  [[nodiscard]] AsyncPort open(const char* name, std::uint16_t rings = 1,
                               std::uint32_t slots = 64) {
    return must(AsyncPort::open(context_.get_executor(), name, options(rings, slots)));
  }
  /// Runs until nothing is left to do; fails if that takes for ever.
  void run() {
    context_.restart();
    context_.run_for(patience);
    EXPECT_TRUE(context_.stopped()) << "somebody still waits";
  }
  /// Runs one handler, whenever it comes.
  void run_one() {
    context_.restart();
    EXPECT_NE(context_.run_one_for(patience), 0U) << "nothing happens";
  }
  /// Runs what can be run without waiting.
  void poll() {
    context_.restart();
    context_.poll();
  }

  nmx_test::Directory domain_{"/dev/shm"};
  net::io_context context_;
};

using Bytes = std::vector<std::uint8_t>;
inline Bytes bytes(std::size_t size, std::uint8_t first = 0) {
  Bytes made(size);
  for (auto& each : made) each = first++;
  return made;
}

}  // namespace netmap::async_test
