// SPDX-License-Identifier: BSD-2-Clause
//
// Ports in Asio's event loop: completion tokens, coroutines, cancellation. Link netmap::asio, or
// netmap::boost_asio for Boost's.
//
//     netmap::AsyncPort port = …AsyncPort::open(executor, "netmap:x}1");
//     std::size_t bytes = co_await port.rx_rings()[0].async_receive(buffer, net::use_awaitable);
//
// WHAT SYNCS. Receiving looks at the ring first, and syncs only if nothing is there: packets that
// came together cost one sync. What was received is given back at that sync, so a sender that
// waits for room waits until the receiver has run dry. Whatever sends has synced when it completes
// without an error: packets are with the other side. async_flush is for packets put into the
// ring directly. A port's syncs are of all its rings of a direction. Every operation takes a turn
// of the event loop; the busiest loops use ring() and sync() and await nothing but async_wait.
//
// A WAKE-UP means: look. Operations look, sync, look, ask to be woken, look once more, and only
// then wait; a wake-up that finds nothing waits again. Packets that are in a ring whose task does
// something else wake nobody. PortOptions::spin is how long an operation that finds nothing looks
// again before it waits; the whole event loop spins with it. Whoever waits on a port is woken for
// all its rings, so tasks of many rings had better open each apart.
//
// THREADS. As with a socket, one thread at a time uses a port, its rings, batches and operations:
// one coroutine, or several on one strand. Unlike a socket's, operations go on, not only complete,
// on their handler's associated executor, so that has to be the strand, too: spawn coroutines on
// it, bind callbacks to it. To receive and send in different threads open the directions apart
// ("/R", "/T"), for a thread a ring open the rings apart (open_each_ring). Completions come through
// the handler's associated executor, memory from its allocator; there is no other in steady state.
// One operation of a ring at a time. Until it completes its buffers belong to it, and while one
// waits on the ring only other operations may move that direction.
//
// CANCELLATION, by slot or by cancel(), completes with operation_aborted. What waited has done
// nothing: no packet is lost or sent twice. async_send_batch says how many packets it has sent, and
// async_shutdown has ended sending, so these two ignore a slot's cancellation_type::total.
// close(), and the end of the AsyncPort, completes everything that way; batches keep the port's
// memory until they go.
//
// ERRORS are Asio's, of this library's or the system's category. packet_too_large leaves the
// packet in the ring and tells its size.
#pragma once

#include <netmap/asio/port.hpp>
