// SPDX-License-Identifier: BSD-2-Clause
//
// What only interfaces have: the host's stack behind them, and a link that goes. Runs as root on
// the module, over the two veth interfaces of NETMAP_TEST_VETH, and deletes and remakes them.
#include "asio/places.hpp"
#include "asio/round_trips.hpp"

#include <optional>
#include <thread>

#include <arpa/inet.h>

namespace netmap::async_test {
namespace {

using namespace std::chrono_literals;

class Interfaces : public OnPipe, public testing::WithParamInterface<Place> {
 protected:
  [[nodiscard]] const std::string& left() const { return GetParam().left; }
  [[nodiscard]] const std::string& right() const { return GetParam().right; }

  static void ip(const std::string& arguments) {
    ASSERT_EQ(std::system(("ip " + arguments).c_str()), 0) << arguments;
  }
  /// Deletes the interface while `wait` waits; returns when that has let go of it.
  template <class Wait>
  void delete_while(Wait wait) {
    std::thread other([this] { ip("link delete " + left()); });
    wait();
    other.join();
    ip("link add " + left() + " type veth peer name " + right());
    ip("link set " + left() + " up");
    ip("link set " + right() + " up");
  }
  void pass(std::chrono::milliseconds time) {
    context_.restart();
    context_.run_for(time);
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Interfaces);
INSTANTIATE_TEST_SUITE_P(Over, Interfaces, testing::ValuesIn(interfaces()),
                         testing::PrintToStringParamName());

/// Makes an UDP packet its own answer; its checksum is left out.
void turn_round(std::span<std::uint8_t> frame) {
  const auto swap = [&](std::size_t from, std::size_t to, std::size_t size) {
    std::ranges::swap_ranges(frame.subspan(from, size), frame.subspan(to, size));
  };
  constexpr std::size_t ip = 14;
  constexpr std::size_t udp = ip + 20;
  swap(0, 6, 6);
  swap(ip + 12, ip + 16, 4);
  swap(udp, udp + 2, 2);
  frame[udp + 6] = frame[udp + 7] = 0;
}

net::awaitable<void> answer(AsyncPort& host) {
  std::array<std::uint8_t, 2048> frame{};
  for (;;) {
    const std::size_t size =
        co_await host.rx_rings().back().async_receive(net::buffer(frame), use_awaitable);
    constexpr std::size_t protocol = 14 + 9;
    if (size < 42 || frame[protocol] != IPPROTO_UDP) continue;
    turn_round(frame);
    co_await host.tx_rings().back().async_send(net::buffer(frame, size), use_awaitable);
  }
}

net::awaitable<Number> ask(net::ip::udp::socket& socket, Number count) {
  const net::ip::udp::endpoint behind_the_wire(net::ip::make_address("10.77.0.2"), 7);
  Number answered = 0;
  for (Number n = 0; n != count; ++n) {
    co_await socket.async_send_to(net::buffer(&n, sizeof n), behind_the_wire, use_awaitable);
    Number got = ~n;
    net::ip::udp::endpoint from;
    co_await socket.async_receive_from(net::buffer(&got, sizeof got), from, use_awaitable);
    if (got == n && from == behind_the_wire) ++answered;
  }
  co_return answered;
}

TEST_P(Interfaces, HostRingAndASocketOfTheHostShareTheLoop) {
  ip("address add 10.77.0.1/24 dev " + left());
  ip("neighbour add 10.77.0.2 lladdr 02:00:00:00:00:02 dev " + left());
  AsyncPort host =
      open((left() + "*").c_str());  // with its NIC rings: else the stack sends past it
  net::ip::udp::socket socket(context_,
                              net::ip::udp::endpoint(net::ip::make_address("10.77.0.1"), 0));
  // The module drops what leaves its checksum to the NIC.
  socket.set_option(net::detail::socket_option::boolean<SOL_SOCKET, SO_NO_CHECK>(true));
  auto answered = net::co_spawn(context_, ask(socket, rounds()), net::use_future);
  net::co_spawn(context_, answer(host), net::detached);
  while (answered.wait_for(0s) != std::future_status::ready) ASSERT_NO_FATAL_FAILURE(run_one());
  EXPECT_EQ(answered.get(), rounds());
  host.close();
  run();
}

/// Sends a frame every now and then until one is received: the link may take a while to carry.
net::awaitable<void> knock(AsyncPort& port, const bool& is_heard) {
  net::steady_timer timer(co_await net::this_coro::executor);
  while (!is_heard) {
    co_await send(port, frame_of(1));
    timer.expires_after(50ms);
    co_await timer.async_wait(use_awaitable);
  }
}

TEST_P(Interfaces, WaitOutlivesALinkThatGoesDownAndComesBack) {
  AsyncPort near = open(left().c_str());
  AsyncPort far = open(right().c_str());
  bool is_heard = false;
  net::co_spawn(context_, receive(near), [&](std::exception_ptr failure, const Frame& frame) {
    EXPECT_FALSE(failure);
    EXPECT_EQ(frame, frame_of(1));
    is_heard = true;
  });
  poll();
  ip("link set " + left() + " down");
  pass(100ms);
  EXPECT_FALSE(is_heard);
  ip("link set " + left() + " up");
  net::co_spawn(context_, knock(far, is_heard), net::detached);
  run();
  EXPECT_TRUE(is_heard);
}

TEST_P(Interfaces, WaitEndsWhenTheInterfaceIsDeleted) {
  AsyncPort near = open(left().c_str());
  Frame frame{};
  int times = 0;
  AsioError error;
  near.rx_rings()[0].async_receive(net::buffer(frame), [&](AsioError told, std::size_t) {
    ++times;
    error = told;
  });
  poll();
  EXPECT_EQ(times, 0);
  delete_while([&] {
    while (times == 0 && !HasFailure()) run_one();
    near.close();
  });
  EXPECT_TRUE(is(error, errc::interface_gone)) << error.message();
}

TEST_P(Interfaces, PortsOwnWaitEndsWhenTheInterfaceIsDeletedToo) {
  std::optional<Port> near = must(netmap::open(left(), options()));
  Result<Directions> waited;
  delete_while([&] {
    waited = near->wait(Direction::rx);
    near.reset();
  });
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error(), make_error_code(errc::ring_corrupt)) << waited.error().message();
}

}  // namespace
}  // namespace netmap::async_test
