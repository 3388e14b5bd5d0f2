// SPDX-License-Identifier: BSD-2-Clause
//
// One packet there and back, over and over: by an epoll loop of one's own, and by coroutines. Both
// wait on the same descriptor.
#pragma once

#include "batches.hpp"

#include <array>
#include <optional>

#include <sys/epoll.h>

namespace bench {

using Bytes = std::array<std::byte, 64>;

class EpollEnd {
 public:
  explicit EpollEnd(netmap::Port port) : port_(std::move(port)) {
    auto alarm = netmap::Alarm::make(port_, netmap::Direction::rx);
    if (!alarm) fail("no alarm");
    alarm_.emplace(std::move(*alarm));
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(loop_, EPOLL_CTL_ADD, alarm_->fd(), &event) != 0) fail("no epoll");
  }

  void send(const Bytes& packet) {
    if (!port_.tx_rings()[0].send(packet) || !port_.sync_tx()) fail("cannot send");
  }
  void receive(Bytes& into) {
    netmap::RxRing& ring = port_.rx_rings()[0];
    while (!ring.receive(into)) {
      if (!port_.sync_rx()) fail("cannot sync");
      if (ring.packets().empty()) wait();
    }
  }

 private:
  void wait() {
    const auto idle = alarm_->set(port_);
    if (!idle) fail("cannot set the alarm");
    if (!*idle) return;
    epoll_event event{};
    if (::epoll_wait(loop_, &event, 1, -1) != 1 || !alarm_->clear(port_)) fail("cannot wait");
  }

  netmap::Port port_;
  std::optional<netmap::Alarm> alarm_;
  int loop_ = ::epoll_create1(EPOLL_CLOEXEC);
};

inline void ping(Progress& progress, netmap::Port port) {
  EpollEnd end(std::move(port));
  Bytes packet{};
  progress.is_sender_ready = true;
  for (;;) {
    end.send(packet);
    end.receive(packet);
    count(progress, 1);
  }
}

inline void pong(Progress& progress, netmap::Port port) {
  EpollEnd end(std::move(port));
  Bytes packet{};
  progress.is_receiver_ready = true;
  for (;;) {
    end.receive(packet);
    end.send(packet);
  }
}

inline net::awaitable<void> async_ping(Progress& progress, netmap::AsyncPort& port,
                                       bool is_direct) {
  Bytes packet{};
  netmap::AsyncTxRing& tx = port.tx_rings()[0];
  netmap::AsyncRxRing& rx = port.rx_rings()[0];
  progress.is_sender_ready = true;
  for (;;) {
    if (is_direct) {
      if (!tx.ring().send(packet) || !tx.sync()) fail("cannot send");
    } else {
      co_await tx.async_send(net::buffer(packet), use_awaitable);
    }
    co_await rx.async_receive(net::buffer(packet), use_awaitable);
    count(progress, 1);
  }
}

inline net::awaitable<void> async_pong(Progress& progress, netmap::AsyncPort& port,
                                       bool is_direct) {
  Bytes packet{};
  netmap::AsyncTxRing& tx = port.tx_rings()[0];
  netmap::AsyncRxRing& rx = port.rx_rings()[0];
  progress.is_receiver_ready = true;
  for (;;) {
    co_await rx.async_receive(net::buffer(packet), use_awaitable);
    if (is_direct) {
      if (!tx.ring().send(packet) || !tx.sync()) fail("cannot send");
    } else {
      co_await tx.async_send(net::buffer(packet), use_awaitable);
    }
  }
}

}  // namespace bench
