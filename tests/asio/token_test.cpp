// SPDX-License-Identifier: BSD-2-Clause
//
// Operations take every kind of completion token that Asio has.
#include "asio/support.hpp"

#include <future>
#include <optional>
#include <tuple>

#if defined(NETMAP_BOOST_ASIO)
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#else
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/experimental/deferred.hpp>
#endif

namespace netmap::async_test {
namespace {

#if defined(NETMAP_BOOST_ASIO)
using net::as_tuple;
using net::deferred;
#else
using net::experimental::as_tuple;
using net::experimental::deferred;
#endif

class Tokens : public OnPipe {
 protected:
  AsyncPort left_ = open("netmap:p{1");
  AsyncPort right_ = open("netmap:p}1");
  AsyncTxRing& tx_ = left_.tx_rings()[0];
  AsyncRxRing& rx_ = right_.rx_rings()[0];
  const Bytes packet_ = bytes(60);
  Bytes into_ = Bytes(2048);

  template <class Work>
  void run_coroutine(Work work) {
    std::exception_ptr failure;
    net::co_spawn(context_, work(), [&](std::exception_ptr thrown) { failure = thrown; });
    run();
    if (failure) std::rethrow_exception(failure);
  }
};

TEST_F(Tokens, UseFuture) {
  std::future<std::size_t> received = rx_.async_receive(net::buffer(into_), net::use_future);
  std::future<std::size_t> sent = tx_.async_send(net::buffer(packet_), net::use_future);
  run();
  EXPECT_EQ(sent.get(), 60U);
  EXPECT_EQ(received.get(), 60U);
  auto waited = rx_.async_wait(net::use_future);
  poll();
  right_.cancel();
  run();
  EXPECT_ANY_THROW(waited.get());
}

TEST_F(Tokens, DetachedStillDoesIt) {
  tx_.async_send(net::buffer(packet_), net::detached);
  run();
  must(rx_.sync());
  EXPECT_EQ(rx_.ring().slots().size(), 1U);
}

TEST_F(Tokens, DeferredDoesNothingUntilItIsCalled) {
  auto send = tx_.async_send(net::buffer(packet_), deferred);
  run();
  must(rx_.sync());
  EXPECT_TRUE(rx_.ring().slots().empty());
  std::optional<std::size_t> size;
  std::move(send)([&](AsioError error, std::size_t sent) {
    EXPECT_FALSE(error);
    size = sent;
  });
  run();
  EXPECT_EQ(size, 60U);
}

TEST_F(Tokens, AsTupleThrowsNothing) {
  run_coroutine([&]() -> net::awaitable<void> {
    tx_.async_send(net::buffer(packet_), net::detached);
    const auto [none, size] =
        co_await rx_.async_receive(net::buffer(into_, 10), as_tuple(use_awaitable));
    EXPECT_TRUE(is(none, errc::packet_too_large)) << none.message();
    EXPECT_EQ(size, 60U);
    const auto [error, batch] = co_await rx_.async_receive_batch(as_tuple(use_awaitable));
    EXPECT_FALSE(error);
    EXPECT_EQ(batch.packets().slots().size(), 1U);
  });
}

TEST_F(Tokens, UseAwaitableThrows) {
  EXPECT_ANY_THROW(run_coroutine([&]() -> net::awaitable<void> {
    right_.close();
    co_await rx_.async_receive(net::buffer(into_), use_awaitable);
  }));
}

TEST_F(Tokens, OrEndsTheOther) {
  using namespace net::experimental::awaitable_operators;
  run_coroutine([&]() -> net::awaitable<void> {
    tx_.async_send(net::buffer(packet_), net::detached);
    const auto first = co_await (left_.rx_rings()[0].async_wait(use_awaitable) ||
                                 rx_.async_receive(net::buffer(into_), use_awaitable));
    EXPECT_EQ(first.index(), 1U);
  });
}

}  // namespace
}  // namespace netmap::async_test
