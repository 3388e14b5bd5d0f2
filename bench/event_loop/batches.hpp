// SPDX-License-Identifier: BSD-2-Clause
//
// Packets in batches through one pipe, by sides that sleep when there is nothing to do: in plain
// loops, and as coroutines. What is done to a ring is the same.
#pragma once

#include "../pipe/netmap_pipe.hpp"

#include <netmap/asio.hpp>

namespace bench {

inline void count(Progress& progress, std::size_t packets) {
  progress.received.store(progress.received.load(std::memory_order_relaxed) + packets,
                          std::memory_order_relaxed);
}

// ---- Plain loops -------------------------------------------------------------------------------

inline void send_in_a_loop(Progress& progress, netmap::Port port, const Job& job) {
  Writer write(job.bytes);
  netmap::TxRing& ring = port.tx_rings()[0];
  progress.is_sender_ready = true;
  for (;;) {
    while (ring.slots().size() < job.batch) {
      if (!ring.want(job.batch) || !port.wait(netmap::Direction::tx)) fail("cannot wait");
    }
    fill(ring, job.batch, write);
    if (!port.sync_tx()) fail("cannot send");
  }
}

inline void receive_in_a_loop(Progress& progress, netmap::Port port, const Job& job) {
  Reader read(job.bytes);
  netmap::RxRing& ring = port.rx_rings()[0];
  progress.is_receiver_ready = true;
  for (;;) {
    if (!port.wait(netmap::Direction::rx)) fail("cannot wait");
    while (const std::size_t packets = read_batch(ring, job.batch, read)) count(progress, packets);
  }
}

// ---- Coroutines --------------------------------------------------------------------------------

namespace net = netmap::net;
using net::use_awaitable;

/// Runs `side`, a coroutine, on a port of its own.
template <class Side>
void run_coroutine(netmap::Port port, Side side) {
  net::io_context context(1);
  auto async = netmap::AsyncPort::make(context.get_executor(), std::move(port));
  if (!async) fail(async.error().message().c_str());
  net::co_spawn(context, side(*async), [](std::exception_ptr failure) {
    if (failure) fail("a coroutine failed");
  });
  context.run();
}

inline net::awaitable<void> send_batches(Progress& progress, netmap::AsyncPort& port, Job job) {
  Writer write(job.bytes);
  netmap::AsyncTxRing& tx = port.tx_rings()[0];
  progress.is_sender_ready = true;
  for (;;) {
    while (tx.ring().slots().size() < job.batch) co_await tx.async_wait(job.batch, use_awaitable);
    fill(tx.ring(), job.batch, write);
    if (!tx.sync()) fail("cannot send");
  }
}

inline net::awaitable<void> receive_batches(Progress& progress, netmap::AsyncPort& port, Job job) {
  Reader read(job.bytes);
  netmap::AsyncRxRing& rx = port.rx_rings()[0];
  progress.is_receiver_ready = true;
  for (;;) {
    if (!rx.sync()) fail("cannot sync");
    if (rx.ring().packets().empty()) co_await rx.async_wait(use_awaitable);
    while (const std::size_t packets = read_batch(rx.ring(), job.batch, read)) {
      count(progress, packets);
    }
  }
}

}  // namespace bench
