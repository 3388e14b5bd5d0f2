// SPDX-License-Identifier: BSD-2-Clause
//
// Packets that wait for their time, first in, first out, in memory that grows with them. Copies:
// a packet of 60 bytes takes 80, where the buffer it came in takes 2048 and is one of few that the
// port's region has.
#pragma once

#include "traffic.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>

namespace nmx {

class PacketFifo {
 public:
  struct Held {
    Clock::time_point due;
    std::span<const std::byte> bytes;
  };

  /// Room for a packet of at most so many bytes, until the next push().
  [[nodiscard]] std::span<std::byte> room(std::size_t bytes);
  /// What was written to the first `bytes` of room() is the last packet now.
  void push(Clock::time_point due, std::size_t bytes);

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// The oldest packet, good until pop(). Precondition here and there: !empty().
  [[nodiscard]] Held front() const;
  void pop();

  /// Bytes of memory that packets take, and that one of this size takes.
  [[nodiscard]] std::size_t footprint() const { return footprint_; }
  [[nodiscard]] static std::size_t footprint(std::size_t packet_bytes);

 private:
  struct Header {
    Clock::time_point due;
    std::uint64_t bytes;
  };
  struct Block {
    std::unique_ptr<std::byte[]> memory;
    std::size_t size;
    std::size_t used = 0;
  };

  static constexpr std::size_t block_bytes = std::size_t{256} << 10;

  [[nodiscard]] Header header() const;
  [[nodiscard]] Block take_block(std::size_t bytes);

  std::deque<Block> blocks_;
  std::size_t first_ = 0;  ///< where the oldest packet begins in the first block
  Block spare_{};          ///< one that is empty, so that they go round
  std::size_t size_ = 0;
  std::size_t footprint_ = 0;
};

}  // namespace nmx
