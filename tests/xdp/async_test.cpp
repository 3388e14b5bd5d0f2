// SPDX-License-Identifier: BSD-2-Clause
//
// Interfaces in Asio's event loop.
#include <netmap/asio.hpp>

#include "xdp/support.hpp"

#include <optional>

namespace netmap::xdp {
namespace {

using net::use_awaitable;
using Frame = std::array<std::byte, 60>;

class XdpAsync : public Xdp {
 protected:
  [[nodiscard]] AsyncPort open_async(const std::string& name, PortOptions options = {}) {
    options.device = device();
    return must(AsyncPort::open(context_.get_executor(), name, options));
  }
  /// Runs until nothing is left to do; fails if that takes for ever.
  void run() {
    context_.restart();
    context_.run_for(patience);
    EXPECT_TRUE(context_.stopped()) << "somebody still waits";
  }
  void poll() {
    context_.restart();
    context_.poll();
  }

  net::io_context context_;
};

/// What a handler is told.
struct Told {
  std::optional<std::error_code> error;

  auto handler() {
    return [this](AsioError told, auto...) { error = static_cast<std::error_code>(told); };
  }
};

std::error_code aborted() {
  return static_cast<std::error_code>(AsioError(net::error::operation_aborted));
}

net::awaitable<void> send_numbers(AsyncTxRing& ring, std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t number = first; number != first + count; ++number) {
    const auto frame = conformance::frame(number, 1);
    co_await ring.async_send(net::buffer(frame), use_awaitable);
  }
}

/// The numbers of the next `count` frames of ours.
net::awaitable<void> receive_numbers(AsyncRxRing& ring, std::size_t count,
                                     std::vector<std::uint32_t>& into) {
  Frame frame{};
  while (into.size() != count) {
    const std::size_t bytes = co_await ring.async_receive(net::buffer(frame), use_awaitable);
    const auto number = conformance::number_in_frame(std::span(frame).first(bytes));
    if (number) into.push_back(*number);
  }
}

TEST_F(XdpAsync, ReceivesWhatIsSentOnEachQueue) {
  AsyncPort a = open_async(near());
  AsyncPort b = open_async(far());
  std::array<std::vector<std::uint32_t>, 4> received;
  for (std::uint32_t ring = 0; ring != 4; ++ring) {
    net::co_spawn(context_, receive_numbers(b.rx_rings()[ring], 500, received[ring]),
                  net::detached);
    net::co_spawn(context_, send_numbers(a.tx_rings()[ring], 1000 * ring, 500), net::detached);
  }
  run();
  for (std::uint32_t ring = 0; ring != 4; ++ring) {
    EXPECT_EQ(received[ring], numbers(1000 * ring, 500)) << "ring " << ring;
  }
}

/// One frame at a time, there and back: whoever misses a wake-up stops both.
net::awaitable<void> ask(AsyncPort& port, std::uint32_t count,
                         std::vector<std::uint32_t>& answers) {
  for (std::uint32_t number = 0; number != count; ++number) {
    co_await send_numbers(port.tx_rings()[0], number, 1);
    co_await receive_numbers(port.rx_rings()[0], number + 1, answers);
  }
}
net::awaitable<void> answer(AsyncPort& port, std::uint32_t count) {
  std::vector<std::uint32_t> asked;
  while (asked.size() != count) {
    co_await receive_numbers(port.rx_rings()[0], asked.size() + 1, asked);
    co_await send_numbers(port.tx_rings()[0], asked.back(), 1);
  }
}

TEST_F(XdpAsync, IsWokenByEachPacket) {
  AsyncPort a = open_async(near());
  AsyncPort b = open_async(far());
  constexpr std::uint32_t rounds = 3000;  // the rings come round
  std::vector<std::uint32_t> answers;
  net::co_spawn(context_, ask(a, rounds, answers), net::detached);
  net::co_spawn(context_, answer(b, rounds), net::detached);
  run();
  EXPECT_EQ(answers, numbers(0, rounds));
}

TEST_F(XdpAsync, WaitsForRoom) {
  AsyncPort a = open_async(near(), {.conf = {.tx_slots = 64, .rx_slots = 64}});
  TxRing& ring = a.tx_rings()[0].ring();
  while (ring.send(conformance::frame(0, 1))) {
  }
  ASSERT_TRUE(ring.slots().empty());
  Told told;
  a.tx_rings()[0].async_wait(63, told.handler());
  EXPECT_FALSE(told.error);
  run();
  EXPECT_EQ(told.error, std::error_code());
  EXPECT_EQ(ring.slots().size(), 63U);
}

TEST_F(XdpAsync, CloseEndsWhatWaits) {
  AsyncPort port = open_async(near());
  Frame frame{};
  Told told;
  port.rx_rings()[0].async_receive(net::buffer(frame), told.handler());
  poll();
  EXPECT_FALSE(told.error);
  port.close();
  run();
  EXPECT_EQ(told.error, aborted());
  EXPECT_EQ(attached_mode(near()), "none");
}

TEST_F(XdpAsync, DeletedInterfacesEndWhatWaits) {
  OtherPair pair;
  AsyncPort port = open_async("vc");
  Frame frame{};
  Told told;
  port.rx_rings()[0].async_receive(net::buffer(frame), told.handler());
  poll();
  EXPECT_FALSE(told.error);
  shell("ip link del vc");
  run();
  EXPECT_EQ(told.error, errc::interface_gone);
}

}  // namespace
}  // namespace netmap::xdp
