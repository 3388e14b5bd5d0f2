// SPDX-License-Identifier: BSD-2-Clause
//
// What --seq puts into a packet, and how it is checked. Behind the 42 bytes of headers:
//
//     number   8 bytes   of the packet in its flow, from 0
//     flow     4 bytes   one sending thread of one run of nmx gen
//     check    4 bytes   of headers, number, flow and length
//     pattern  the rest  follows from number and flow
//
// all in little-endian order. The check says whether the number can be believed; the pattern is
// compared byte by byte. So there is no byte whose damage goes unseen, and a packet that was cut,
// or put together from parts of two, is damaged too.
//
// Writer and reader take a packet piece by piece, as its fragments come.
#pragma once

#include "frame.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace nmx {

/// The shortest frame that holds a number.
inline constexpr std::size_t shortest_numbered_frame = header_bytes + 16;

struct Stamp {
  std::uint64_t number;
  std::uint32_t flow;
};

/// The bytes behind the check.
class Pattern {
 public:
  Pattern() = default;
  explicit Pattern(const Stamp& stamp);

  /// Writes the bytes from `offset` on.
  void fill(std::span<std::byte> into, std::size_t offset) const;
  [[nodiscard]] bool matches(std::span<const std::byte> bytes, std::size_t offset) const;

 private:
  static constexpr std::uint64_t step = 0x9e3779b97f4a7c15;
  [[nodiscard]] std::uint64_t word(std::uint64_t n) const { return seed_ + n * step; }

  std::uint64_t seed_ = 0;
};

/// Headers, number, flow and check.
using Head = std::array<std::byte, shortest_numbered_frame>;

/// Numbers the packets of one flow.
class SequenceWriter {
 public:
  explicit SequenceWriter(std::uint32_t flow) : stamp_{0, flow} {}

  /// Starts the next packet. Precondition: frame_bytes >= shortest_numbered_frame.
  void begin(std::span<const std::byte, header_bytes> header, std::size_t frame_bytes);
  /// Writes the packet's next bytes.
  void put(std::span<std::byte> into);

 private:
  void write_head(std::byte* at) const;

  Header header_{};
  Stamp stamp_;
  std::uint32_t check_ = 0;
  Pattern pattern_;
  std::size_t done_ = 0;
  std::uint64_t next_number_ = 0;
};

enum class Verdict : std::uint8_t {
  intact,
  damaged,     ///< bytes differ, but the number can be believed
  unreadable,  ///< the number cannot be believed, or there is none
  foreign,     ///< no numbered packet, not even a damaged one
};

struct Reading {
  Verdict verdict;
  std::uint32_t flow;
  std::uint64_t number;
};

/// Checks packets one after another.
class SequenceReader {
 public:
  void begin() {
    done_ = 0;
    matches_ = true;
  }
  /// Reads the packet's next bytes.
  void add(std::span<const std::byte> bytes);
  [[nodiscard]] Reading finish() const;
  /// Bytes of the packet so far.
  [[nodiscard]] std::size_t size() const { return done_; }

 private:
  void read_head(const std::byte* at);

  Head head_{};  ///< until it is whole
  Stamp stamp_{};
  std::uint64_t sum_ = 0;
  std::uint32_t check_ = 0;
  Pattern pattern_;
  std::size_t done_ = 0;
  bool matches_ = true;
  bool looks_generated_ = false;
};

}  // namespace nmx
