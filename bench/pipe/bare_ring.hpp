// SPDX-License-Identifier: BSD-2-Clause
//
// The least that can carry packets between two CPUs: descriptors of a fixed buffer each, one head,
// one tail, no checks. What netmapxx is measured against.
#pragma once

#include "sides.hpp"

#include <netmap/look_ahead.hpp>

namespace bench {

struct BareRing {
  static constexpr std::uint32_t slots = 1024;
  static constexpr std::size_t buffer_bytes = 2048;

  struct Descriptor {
    std::uint32_t buffer;
    std::uint16_t length;
  };

  [[nodiscard]] std::byte* buffer(std::uint32_t n) { return buffers[n % slots]; }

  alignas(64) std::atomic<std::uint32_t> head;  ///< sender: the next to be filled
  alignas(64) std::atomic<std::uint32_t> tail;  ///< receiver: the next to be read
  alignas(64) Descriptor descriptors[slots];
  alignas(4096) std::byte buffers[slots][buffer_bytes];
};

class BareSender {
 public:
  /// `looks_ahead`: fetches buffers before it writes them, as netmap::LookAhead does.
  BareSender(BareRing& ring, bool looks_ahead) : ring_(&ring), looks_ahead_(looks_ahead) {}

  bool send(std::uint32_t batch, Writer& write) {
    if (BareRing::slots - (head_ - tail_) < batch) {
      tail_ = ring_->tail.load(std::memory_order_acquire);
      if (BareRing::slots - (head_ - tail_) < batch) return false;
    }
    for (const std::uint32_t end = head_ + batch; head_ != end; ++head_) {
      const std::uint32_t slot = head_ % BareRing::slots;
      if (looks_ahead_) netmap::detail::fetch_to_write(ring_->buffer(slot + 8));
      write(ring_->buffer(slot));
      ring_->descriptors[slot] = {slot, static_cast<std::uint16_t>(write.bytes())};
    }
    ring_->head.store(head_, std::memory_order_release);
    return true;
  }

 private:
  BareRing* ring_;
  bool looks_ahead_;
  std::uint32_t head_ = 0;
  std::uint32_t tail_ = 0;
};

class BareReceiver {
 public:
  explicit BareReceiver(BareRing& ring) : ring_(&ring) {}

  std::size_t receive(std::uint32_t batch, Reader& read) {
    const std::uint32_t head = ring_->head.load(std::memory_order_acquire);
    const std::uint32_t count = std::min(head - tail_, batch);
    if (count == 0) return 0;
    for (const std::uint32_t end = tail_ + count; tail_ != end; ++tail_) {
      const auto descriptor = ring_->descriptors[tail_ % BareRing::slots];
      read({ring_->buffer(descriptor.buffer), descriptor.length});
    }
    ring_->tail.store(tail_, std::memory_order_release);
    return count;
  }

 private:
  BareRing* ring_;
  std::uint32_t tail_ = 0;
};

}  // namespace bench
