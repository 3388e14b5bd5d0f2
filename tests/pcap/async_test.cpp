// SPDX-License-Identifier: BSD-2-Clause
//
// Captures in Asio's event loop.
#include <netmap/asio.hpp>

#include "pcap/support.hpp"

namespace netmap::pcap {
namespace {

using net::use_awaitable;

class Async : public WithFiles {
 protected:
  [[nodiscard]] AsyncPort open_async(const std::string& name) {
    return must(AsyncPort::open(context_.get_executor(), name));
  }
  /// Runs until nothing is left to do; fails if that takes for ever.
  void run() {
    context_.restart();
    context_.run_for(patience);
    EXPECT_TRUE(context_.stopped()) << "somebody still waits";
  }

  net::io_context context_;
};

/// Receives packet by packet until that fails.
net::awaitable<void> receive_all(AsyncRxRing& ring, Shown& shown) {
  for (;;) {
    Bytes bytes(10'000);
    AsioError error;
    bytes.resize(
        co_await ring.async_receive(net::buffer(bytes), net::redirect_error(use_awaitable, error)));
    if (error) {
      shown.end = error;
      co_return;
    }
    shown.packets.push_back(std::move(bytes));
  }
}

TEST_F(Async, ReceivesACaptureToItsEnd) {
  const auto sent = records({60, 5000, 61, 1514});
  AsyncPort port = open_async("pcap:" + write(capture(classic, sent)));
  Shown shown;
  net::co_spawn(context_, receive_all(port.rx_rings()[0], shown), net::detached);
  run();
  EXPECT_EQ(shown.packets, bytes_of(sent));
  EXPECT_EQ(shown.end, errc::end_of_capture);
}

TEST_F(Async, SleepsUntilAPacketIsDue) {
  auto sent = records({60, 61, 62});
  sent[1].time += 2ms;
  sent[2].time += 5ms;
  AsyncPort port = open_async("pcap:rx=" + write(capture(classic, sent)) + ",timed");
  Shown shown;
  const auto start = std::chrono::steady_clock::now();
  net::co_spawn(context_, receive_all(port.rx_rings()[0], shown), net::detached);
  run();
  EXPECT_GE(std::chrono::steady_clock::now() - start, 5ms);
  EXPECT_EQ(shown.packets, bytes_of(sent));
  EXPECT_EQ(shown.end, errc::end_of_capture);
}

TEST_F(Async, CanBeCancelledWhileNothingIsDue) {
  auto sent = records({60, 61});
  sent[1].time += 24h;
  AsyncPort port = open_async("pcap:rx=" + write(capture(classic, sent)) + ",timed");
  Shown shown;
  net::co_spawn(context_, receive_all(port.rx_rings()[0], shown), net::detached);
  while (shown.packets.empty()) context_.run_one_for(patience);
  context_.poll();
  EXPECT_FALSE(shown.end);
  port.cancel();
  run();
  EXPECT_EQ(shown.packets.size(), 1U);
  EXPECT_EQ(AsioError(shown.end.value(), net::error::get_system_category()),
            net::error::operation_aborted);
}

TEST_F(Async, SendsIntoACapture) {
  std::vector<Bytes> sent;
  for (std::size_t n = 0; n != 3000; ++n) sent.push_back(content(n, n % 7 == 0 ? 3000 : 60));
  {
    AsyncPort port = open_async("pcap:tx=" + path());
    const auto send = [&]() -> net::awaitable<void> {
      for (const Bytes& packet : sent) {
        co_await port.tx_rings()[0].async_send(net::buffer(packet), use_awaitable);
      }
      co_await port.tx_rings()[0].async_shutdown(use_awaitable);
    };
    net::co_spawn(context_, send(), net::detached);
    run();
  }
  Port reader = open("pcap:" + path());
  EXPECT_EQ(read_all(reader).packets, sent);
}

}  // namespace
}  // namespace netmap::pcap
