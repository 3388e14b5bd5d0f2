// SPDX-License-Identifier: BSD-2-Clause
//
// How much moved: counted by the thread that moves it, read by the thread that reports.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace nmx {

using Clock = std::chrono::steady_clock;

/// In some span of time.
struct Traffic {
  static constexpr std::uint64_t not_seen = UINT32_MAX;

  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t batches = 0;
  std::uint64_t free_slots = not_seen;  ///< the fewest seen in any ring
  double seconds = 0;

  [[nodiscard]] double packets_per_second() const { return per_second(packets); }
  [[nodiscard]] double bits_per_second() const { return 8 * per_second(bytes); }
  /// With CRC, preamble and the gap between frames, 24 bytes a packet: IEEE 802.3.
  [[nodiscard]] double wire_bits_per_second() const { return 8 * per_second(bytes + 24 * packets); }
  [[nodiscard]] double average_batch() const {
    return batches == 0 ? 0 : static_cast<double>(packets) / static_cast<double>(batches);
  }

 private:
  [[nodiscard]] double per_second(std::uint64_t amount) const {
    return seconds > 0 ? static_cast<double>(amount) / seconds : 0;
  }
};

/// Written by one thread, on a cache line of its own.
class alignas(64) Counters {
 public:
  /// One batch, of any number of packets but 0.
  void add(std::uint64_t packets, std::uint64_t bytes) {
    raise(packets_, packets);
    raise(bytes_, bytes);
    raise(batches_, 1);
  }
  void see_free_slots(std::uint64_t slots) {
    if (slots < free_slots_.load(relaxed)) free_slots_.store(slots, relaxed);
  }
  /// Something got to the other side, or came from it.
  void set_moved() { moved_.store(true, relaxed); }
  [[nodiscard]] bool has_moved() const { return moved_.load(relaxed); }
  /// The time that counts for the rate. Not before the thread has ended.
  void set_first(Clock::time_point time) { first_ = time; }
  void set_last(Clock::time_point time) { last_ = time; }
  [[nodiscard]] Clock::time_point first() const { return first_; }
  [[nodiscard]] Clock::time_point last() const { return last_; }

  void add_to(Traffic& sum) const {
    sum.packets += packets_.load(relaxed);
    sum.bytes += bytes_.load(relaxed);
    sum.batches += batches_.load(relaxed);
  }
  /// The fewest free slots since the last call.
  [[nodiscard]] std::uint64_t take_free_slots() {
    return free_slots_.exchange(Traffic::not_seen, relaxed);
  }

 private:
  static constexpr auto relaxed = std::memory_order_relaxed;
  static void raise(std::atomic<std::uint64_t>& counter, std::uint64_t by) {
    counter.store(counter.load(relaxed) + by, relaxed);
  }

  std::atomic<std::uint64_t> packets_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<std::uint64_t> batches_ = 0;
  std::atomic<std::uint64_t> free_slots_ = Traffic::not_seen;
  std::atomic<bool> moved_ = false;
  Clock::time_point first_ = Clock::time_point::max();
  Clock::time_point last_ = Clock::time_point::min();
};

}  // namespace nmx
