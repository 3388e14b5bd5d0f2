// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "addresses.hpp"
#include "frame.hpp"
#include "random.hpp"
#include "sequence.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nmx {

/// What packets nmx gen makes.
struct PacketOptions {
  std::uint32_t shortest = 60;  ///< bytes, without the CRC as everywhere
  std::uint32_t longest = 60;   ///< lengths between are drawn evenly
  std::uint32_t fragments = 1;  ///< at least; a buffer's size may ask for more
  bool numbered = false;
  bool is_mix = false;                ///< lengths are imix's in turn
  std::vector<std::byte> frame = {};  ///< the whole packet, if not empty
  HeaderOptions headers = {};
  MacAddress source = {};
  MacAddress destination = {};
  SweepOptions sweep = {};
};

/// Simple IMIX: of twelve IP packets seven have 40 bytes, padded to 60 of a frame or what the
/// headers need, four 576 and one 1500.
inline constexpr std::array<std::uint32_t, 12> imix{60,  590, 60, 60,  590, 60,
                                                    590, 60,  60, 590, 60,  1514};

/// How many slots a packet takes, in buffers of this size.
[[nodiscard]] constexpr std::uint32_t slots_for(std::uint32_t packet_bytes, std::uint32_t fragments,
                                                std::uint32_t buffer_bytes) {
  const std::uint32_t needed =
      packet_bytes / buffer_bytes + (packet_bytes % buffer_bytes != 0 ? 1 : 0);
  return needed > fragments ? needed : fragments;
}

/// Makes one packet after another, and writes each piece by piece.
class PacketSource {
 public:
  PacketSource(const PacketOptions& options, std::uint32_t flow, std::uint64_t seed);

  /// The packet, if all have the same bytes, so that a buffer that holds it need not be written
  /// again; else empty.
  [[nodiscard]] std::span<const std::byte> repeated() const { return repeated_; }
  /// The length of the packet that begin() will start.
  [[nodiscard]] std::uint32_t next_size() const { return next_size_; }
  void begin();
  /// Writes the packet's next bytes.
  void put(std::span<std::byte> into);

 private:
  [[nodiscard]] bool has_one_size() const {
    return !options_.is_mix && options_.shortest == options_.longest;
  }
  [[nodiscard]] std::uint32_t draw_size();
  /// Writes what stands there from done_ on, as far as there is room; yields the room that is left.
  std::span<std::byte> copy(std::span<const std::byte> from, std::span<std::byte> into);

  PacketOptions options_;
  Sweep sweep_;
  Random random_;
  HeaderBuilder header_;
  std::size_t mixed_ = 0;
  SequenceWriter writer_;
  std::size_t done_ = 0;
  std::uint32_t next_size_;
  std::vector<std::byte> repeated_;
};

}  // namespace nmx
