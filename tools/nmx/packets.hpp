// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "addresses.hpp"
#include "frame.hpp"
#include "random.hpp"
#include "sequence.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace nmx {

/// What packets nmx gen makes.
struct PacketOptions {
  std::uint32_t shortest = 60;  ///< bytes, without the CRC as everywhere
  std::uint32_t longest = 60;   ///< lengths between are drawn evenly
  std::uint32_t fragments = 1;  ///< at least; a buffer's size may ask for more
  bool numbered = false;
  MacAddress source = {};
  MacAddress destination = {};
  SweepOptions sweep = {};
};

/// How many slots a packet takes, in buffers of this size.
[[nodiscard]] constexpr std::uint32_t slots_for(std::uint32_t packet_bytes, std::uint32_t fragments,
                                                std::uint32_t buffer_bytes) {
  const std::uint32_t needed = (packet_bytes + buffer_bytes - 1) / buffer_bytes;
  return needed > fragments ? needed : fragments;
}

/// Makes one packet after another, and writes each piece by piece.
class PacketSource {
 public:
  PacketSource(const PacketOptions& options, std::uint32_t flow, std::uint64_t seed);

  /// Whether all packets have the same bytes, so that a buffer that holds one need not be written
  /// again.
  [[nodiscard]] bool is_constant() const { return is_constant_; }
  /// The length of the packet that begin() will start.
  [[nodiscard]] std::uint32_t next_size() const { return next_size_; }
  void begin();
  /// Writes the packet's next bytes.
  void put(std::span<std::byte> into);

 private:
  [[nodiscard]] std::uint32_t draw_size();

  PacketOptions options_;
  Sweep sweep_;
  Random random_;
  HeaderBuilder header_;
  SequenceWriter writer_;
  std::size_t done_ = 0;
  std::uint32_t next_size_;
  bool is_constant_;
};

}  // namespace nmx
