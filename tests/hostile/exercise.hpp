// SPDX-License-Identifier: BSD-2-Clause
//
// A program that calls all there is to call and touches every byte it is shown, whatever the
// other side does meanwhile. Its memory must be a FakePort's, which tells bytes that are its own
// from others.
#pragma once

#include "ring/support.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <utility>

namespace netmap::test {

class Exercise {
 public:
  /// `meanwhile` is called between any two steps.
  Exercise(Port& port, Port& other, std::function<void()> meanwhile)
      : port_(port), other_(other), meanwhile_(std::move(meanwhile)) {}

  static constexpr std::size_t parts = 9;

  void all() {
    for (std::size_t n = 0; n != parts; ++n) part(n);
  }
  /// Precondition: n < parts.
  void part(std::size_t n) {
    static constexpr std::array<void (Exercise::*)(), parts> all{
        &Exercise::look,         &Exercise::receive,      &Exercise::release,
        &Exercise::send,         &Exercise::write,        &Exercise::commit,
        &Exercise::swap_buffers, &Exercise::forward_both, &Exercise::sync};
    try {
      (this->*all[n])();
    } catch (const StaleView&) {
      // a ring whose head was moved meanwhile may well be thought to have released a slot
    }
  }

  /// How many bytes were touched.
  [[nodiscard]] std::size_t touched() const { return touched_; }

 private:
  [[nodiscard]] RxRing& rx() { return port_.rx_rings()[0]; }
  [[nodiscard]] TxRing& tx() { return port_.tx_rings()[0]; }

  void touch(std::span<std::byte> bytes) {
    meanwhile_();
    for (std::byte& byte : bytes) byte ^= std::byte{0x55};
    touched_ += bytes.size();
  }
  void touch(const RxSlots& slots) {
    for (RxSlot slot : slots) {
      touch(slot.bytes());
      slot.set_flags(slot.flags());
      EXPECT_LT(slot.position().index(), rx().num_slots());
      EXPECT_LT(slot.after().index(), rx().num_slots());
    }
  }

  void look() {
    touch(rx().slots());
    EXPECT_LT(rx().slots().size(), rx().num_slots());
    if (!rx().slots().empty()) touch(rx().slots().front().bytes());
    for (const std::size_t limit : {std::size_t{0}, std::size_t{2}, SIZE_MAX}) look_at(limit);
    (void)rx().is_ready();
    (void)rx().timestamp();
    rx().set_timestamps(true);
    rx().set_forwarding(false);
    (void)rx().stats();
    (void)rx().same_region(other_.rx_rings()[0]);
  }

  void look_at(std::size_t limit) {
    const auto packets = rx().packets(limit);
    touch(packets.slots());
    for (const Packet packet : packets) {
      touch(packet.front());
      touch(packet.fragments());
      Bytes into(packet.size());
      (void)packet.copy_to(into);
      EXPECT_LT(packet.after().index(), rx().num_slots());
    }
  }

  void receive() {
    Bytes into(1000);
    (void)rx().receive(into);
    meanwhile_();
    const auto use = [this](const Packet& packet) { touch(packet.front()); };
    EXPECT_LT(rx().for_each(use, 2), 3U);
    (void)rx().for_each(use);
  }

  void release() {
    for (const std::uint32_t position : {0U, 1U, rx().num_slots() - 1, rx().num_slots()}) {
      meanwhile_();
      (void)rx().seen(Position(position));
      meanwhile_();
      (void)rx().release(Position(position));
    }
  }

  void send() {
    for (TxSlot slot : tx().slots()) {
      touch(slot.buffer());
      (void)slot.set_length(64, slot.flags());
      meanwhile_();
      (void)slot.write(content(1, 64));
    }
    for (const std::size_t size : {0U, 64U, 65U, 1000U}) {
      meanwhile_();
      (void)tx().send(content(size, size));
    }
  }

  void write() {
    auto writer = tx().writer();
    touch(writer.room());
    (void)writer.advance(3);
    meanwhile_();
    (void)writer.append(content(1, 100));
    meanwhile_();
    (void)writer.next_fragment();
    meanwhile_();
    (void)writer.commit();
    touch(writer.room());
    (void)writer.commit();
  }

  void commit() {
    for (const std::uint32_t position : {0U, 1U, tx().num_slots() - 1, tx().num_slots()}) {
      meanwhile_();
      (void)tx().want(position);
      (void)tx().is_ready();
      EXPECT_LT(tx().pending(), tx().num_slots());
      meanwhile_();
      (void)tx().commit(Position(position));
    }
  }

  void swap_buffers() {
    auto buffer = port_.take_buffer();
    for (RxSlot received : rx().slots()) {
      for (TxSlot free : tx().slots()) {
        meanwhile_();
        (void)swap(received, free);
        touch(received.bytes());
        touch(free.buffer());
        (void)received.swap(*buffer);
        (void)free.swap(*buffer);
        touch(buffer->bytes());
      }
    }
  }

  void forward_both() {
    meanwhile_();
    (void)forward(rx(), tx(), 1);
    meanwhile_();
    (void)forward(rx(), tx());
    meanwhile_();
    (void)forward(rx(), other_.tx_rings()[0]);
    meanwhile_();
    (void)forward(other_.rx_rings()[0], tx());
  }

  void sync() {
    constexpr auto both = Direction::rx | Direction::tx;
    (void)port_.sync_tx();
    (void)port_.sync_rx();
    meanwhile_();
    (void)port_.wait(both, std::chrono::nanoseconds(0));
    meanwhile_();
    (void)port_.drain(std::chrono::nanoseconds(0));
    meanwhile_();
    if (port_.arm(both)) port_.disarm(both);
    (void)port_.stats();
  }

  Port& port_;
  Port& other_;
  std::function<void()> meanwhile_;
  std::size_t touched_ = 0;
};

}  // namespace netmap::test
