// SPDX-License-Identifier: BSD-2-Clause
//
// Traffic through coroutines: over several rings, on several threads, cancelled at random.
#include "asio/allocations.hpp"
#include "asio/round_trips.hpp"

#include <thread>

namespace netmap::async_test {
namespace {

using test::Random;

net::mutable_buffer buffer_of(Number& number) {
  return net::buffer(&number, sizeof number);
}

class Traffic : public OnPipe {};

TEST_F(Traffic, RingsOfOnePortHaveAWaiterEach) {
  constexpr std::size_t rings = 4;
  AsyncPort left = open("netmap:m{1", rings);
  AsyncPort right = open("netmap:m}1", rings);
  std::array<Number, rings> received{};
  std::array<Number, rings> sent{};
  Number echoed = 0;
  const auto serve = [&](std::size_t ring) -> net::awaitable<void> {
    for (;;) {
      Number packet = 0;
      co_await right.rx_rings()[ring].async_receive(buffer_of(packet), use_awaitable);
      EXPECT_EQ(packet, received[ring]++);
      co_await right.tx_rings()[ring].async_send(buffer_of(packet), use_awaitable);
      if (received[ring] == 200) co_return;
    }
  };
  const auto hear = [&](std::size_t ring) -> net::awaitable<void> {
    for (Number n = 0; n != 200; ++n) {
      Number packet = 0;
      co_await left.rx_rings()[ring].async_receive(buffer_of(packet), use_awaitable);
      EXPECT_EQ(packet, n);
      ++echoed;
    }
  };
  const auto ask = [&]() -> net::awaitable<void> {
    Random random(5);
    for (int n = 0; n != 200 * static_cast<int>(rings);) {
      const std::size_t ring = random.below(rings);
      if (sent[ring] == 200) continue;
      Number packet = sent[ring]++;
      ++n;
      co_await left.tx_rings()[ring].async_send(buffer_of(packet), use_awaitable);
      if (random.below(3) == 0) co_await net::post(context_, use_awaitable);
    }
  };
  for (std::size_t ring = 0; ring != rings; ++ring) {
    net::co_spawn(context_, serve(ring), net::detached);
    net::co_spawn(context_, hear(ring), net::detached);
  }
  net::co_spawn(context_, ask(), net::detached);
  run();
  EXPECT_EQ(echoed, 200 * rings);
}

/// Cancels an operation after a while, unless it is over by then.
class CancelAfter {
 public:
  CancelAfter(net::io_context& context, std::chrono::microseconds time) : timer_(context, time) {
    timer_.async_wait([this](AsioError error) {
      if (!error) stop_.emit(net::cancellation_type::total);
    });
  }
  CancelAfter(const CancelAfter&) = delete;
  CancelAfter& operator=(const CancelAfter&) = delete;
  /// Ends the wait; to be followed by a turn of the event loop, in which the timer says goodbye.
  void dismiss() { timer_.cancel(); }

  /// The token of an operation that is cancelled and then says so in `error`.
  auto token(AsioError& error) {
    return net::bind_cancellation_slot(stop_.slot(), net::redirect_error(use_awaitable, error));
  }

 private:
  net::steady_timer timer_;
  net::cancellation_signal stop_;
};

TEST_F(Traffic, CancelledAtRandomLosesAndDoublesNothing) {
  const Number count = rounds();
  AsyncPort left = open("netmap:c{1", 1, 8);
  AsyncPort right = open("netmap:c}1", 1, 8);
  Random random(11);
  const auto some_time = [&](std::uint32_t most) {
    return std::chrono::microseconds(random.below(most));
  };
  /// Calls `start(token)` until it has succeeded `count` times; counts how often it was cancelled.
  const auto repeat = [&](Number& done, Number& cancelled, auto start) -> net::awaitable<void> {
    while (done != count) {
      CancelAfter limit(context_, some_time(30));
      AsioError error;
      co_await start(limit.token(error));
      limit.dismiss();
      EXPECT_TRUE(!error || is_aborted(error)) << error.message();
      ++(error ? cancelled : done);
      co_await net::post(context_, use_awaitable);
    }
  };
  Number sent = 0;
  Number sends_cancelled = 0;
  Number outgoing = 0;
  const auto send = [&](auto token) {
    outgoing = sent;
    return left.tx_rings()[0].async_send(buffer_of(outgoing), token);
  };
  Number received = 0;
  Number receives_cancelled = 0;
  const auto receive = [&](auto token) -> net::awaitable<void> {
    if (random.below(8) == 0) {
      net::steady_timer pause(context_, some_time(300));
      co_await pause.async_wait(use_awaitable);
    }
    constexpr Number untouched = ~Number{0};
    Number packet = untouched;
    const std::size_t size = co_await right.rx_rings()[0].async_receive(buffer_of(packet), token);
    EXPECT_EQ(packet, size == 0 ? untouched : received);
  };
  net::co_spawn(context_, repeat(sent, sends_cancelled, send), net::detached);
  net::co_spawn(context_, repeat(received, receives_cancelled, receive), net::detached);
  run();
  EXPECT_EQ(received, count);
  EXPECT_GT(sends_cancelled, 0U);
  EXPECT_GT(receives_cancelled, 0U);
}

TEST_F(Traffic, ReceivesOnFourThreads) {
  const Number count = 20 * rounds();
  net::thread_pool pool(4);
  AsyncPort right = must(AsyncPort::open(net::make_strand(pool), "netmap:f}1", options()));
  Port left = must(netmap::open("netmap:f{1", options()));
  std::thread sender([&left, count] {
    TxRing& ring = left.tx_rings()[0];
    for (Number n = 0; n != count;) {
      if (ring.send(std::as_bytes(std::span(&n, 1)))) {
        ++n;
      } else {
        must(left.wait(Direction::tx));
      }
    }
    must(left.sync_tx());
  });
  auto received = net::co_spawn(
      right.get_executor(),
      [&]() -> net::awaitable<Number> {
        Number next = 0;
        while (next != count) {
          auto batch = co_await right.rx_rings()[0].async_receive_batch(use_awaitable);
          for (const Packet& packet : batch.packets()) {
            Number number = 0;
            if (packet.copy_to(std::as_writable_bytes(std::span(&number, 1))).value_or(0) == 8 &&
                number == next) {
              ++next;
            } else {
              throw std::runtime_error("not the packet that was sent");
            }
          }
        }
        co_return next;
      },
      net::use_future);
  EXPECT_EQ(received.get(), count);
  right.close();
  sender.join();
}

/// One end as two ports; the other sends everything back.
TEST_F(Traffic, DirectionsHaveAThreadEach) {
  const Number count = 10 * rounds();
  const auto in_a_thread = [this](const char* name, auto work) {
    return std::thread([this, name, work] {
      net::io_context context;
      AsyncPort port = must(AsyncPort::open(context.get_executor(), name, options()));
      auto done = net::co_spawn(context, work(port), net::use_future);
      context.run();
      done.get();
    });
  };
  AsyncPort echo = open("netmap:d}1");
  std::thread sender = in_a_thread("netmap:d{1/T", [=](AsyncPort& port) -> net::awaitable<void> {
    for (Number n = 0; n != count; ++n) {
      co_await port.tx_rings()[0].async_send(buffer_of(n), use_awaitable);
    }
  });
  std::thread receiver = in_a_thread("netmap:d{1/R", [=](AsyncPort& port) -> net::awaitable<void> {
    for (Number n = 0; n != count; ++n) {
      Number packet = 0;
      co_await port.rx_rings()[0].async_receive(buffer_of(packet), use_awaitable);
      EXPECT_EQ(packet, n);
    }
  });
  const auto send_back = [&]() -> net::awaitable<void> {
    for (Number n = 0; n != count; ++n) {
      Number packet = 0;
      co_await echo.rx_rings()[0].async_receive(buffer_of(packet), use_awaitable);
      co_await echo.tx_rings()[0].async_send(buffer_of(packet), use_awaitable);
    }
  };
  net::co_spawn(context_, send_back(), net::detached);
  run();
  sender.join();
  receiver.join();
}

/// Each waits for the other, so every packet is waited for. Asio keeps memory for as long as its
/// run() lasts; run_for() is one for each handler.
TEST_F(Traffic, AllocatesNothingInSteadyState) {
  AsyncPort left = open("netmap:a{1");
  AsyncPort right = open("netmap:a}1");
  std::uint64_t warm_up = 0;
  std::uint64_t short_run = 0;
  std::uint64_t long_run = 0;
  const auto count = [&](Number trips) -> net::awaitable<std::uint64_t> {
    const std::uint64_t before = allocations;
    co_await ping(left, trips, Random(1));
    co_return allocations - before;
  };
  const auto counted = [&]() -> net::awaitable<void> {
    warm_up = co_await count(100);
    short_run = co_await count(100);
    long_run = co_await count(1000);
  };
  net::co_spawn(context_, pong(right, 1200, Random(2)), net::detached);
  net::co_spawn(context_, counted(), net::detached);
  context_.run();
  EXPECT_GT(warm_up, short_run);
  EXPECT_EQ(long_run, short_run) << "the coroutines themselves cost that, operations nothing";
}

/// Sends back and forth by callbacks alone.
struct Player {
  AsyncPort& port;
  int turns;
  std::uint64_t at_turn_1000 = 0;
  std::uint64_t in_the_end = 0;
  Frame frame{};

  void send() {
    port.tx_rings()[0].async_send(net::buffer(frame), [this](AsioError error, std::size_t) {
      EXPECT_FALSE(error);
      if (turns != 0) receive();
    });
  }
  void receive() {
    port.rx_rings()[0].async_receive(net::buffer(frame), [this](AsioError error, std::size_t) {
      EXPECT_FALSE(error);
      --turns;
      if (turns == 1000) at_turn_1000 = allocations;
      in_the_end = allocations;
      if (!error) send();
    });
  }
};

TEST_F(Traffic, CallbacksAllocateNothingInSteadyState) {
  AsyncPort left = open("netmap:a{1");
  AsyncPort right = open("netmap:a}1");
  Player first{left, 1100};
  Player second{right, 1100};
  second.receive();
  first.send();
  context_.run();
  EXPECT_EQ(first.turns, 0);
  EXPECT_GT(first.at_turn_1000, 0U);
  EXPECT_EQ(first.in_the_end - first.at_turn_1000, 0U);
}

}  // namespace
}  // namespace netmap::async_test
