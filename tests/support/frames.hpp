// SPDX-License-Identifier: BSD-2-Clause
//
// Ethernet frames that tell who sent them to whom, and of which every byte, and the size, can be
// checked. They are of 14 to 9000 bytes, mostly short ones.
#pragma once

#include <netmap/netmap.hpp>

#include "support/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace netmap::test {

/// The last byte of a locally administered MAC address.
using Address = std::uint8_t;
inline constexpr Address everybody = 0xff;

struct Frame {
  Address from;
  Address to;
  std::uint32_t number;

  static constexpr std::size_t shortest = 14;
  static constexpr std::size_t longest = 9000;
  /// Those that are shorter have no room for all of their number.
  static constexpr std::size_t shortest_numbered = 18;

  /// The lower half of the number is in place of the type, so it is told from that.
  [[nodiscard]] std::size_t size() const {
    const std::uint64_t drawn = ((number & 0xffff) * 256 + from + 1) * 0x9e37'79b9'7f4a'7c15;
    const std::uint64_t kind = drawn >> 58;
    const std::uint64_t rest = drawn >> 16 & 0xffff;
    if (kind == 0) return shortest + rest % (shortest_numbered - shortest);
    if (kind <= 3) return shortest_numbered + rest % (longest - shortest_numbered + 1);
    return shortest_numbered + rest % 200;
  }
  [[nodiscard]] bool has_number() const { return size() >= shortest_numbered; }

  /// The first `bytes.size()` bytes.
  void write(std::span<std::byte> bytes) const {
    std::array<std::byte, shortest_numbered> head{};
    const auto write_address = [&](std::size_t at, Address address) {
      if (address == everybody) std::memset(head.data() + at, 0xff, 6);
      if (address != everybody) head[at] = std::byte{2};
      head[at + 5] = std::byte{address};
    };
    write_address(0, to);
    write_address(6, from);
    const auto low = static_cast<std::uint16_t>(number);
    std::memcpy(head.data() + 12, &low, sizeof low);
    if (has_number()) std::memcpy(head.data() + 14, &number, sizeof number);
    for (std::size_t at = 0; at != bytes.size(); ++at) {
      bytes[at] = at < head.size() ? head[at] : static_cast<std::byte>(low * 7 + from + at * 31);
    }
  }
};

/// Commits a frame; false if there is no room.
[[nodiscard]] inline bool send_frame(TxRing& ring, const Frame& frame) {
  std::array<std::byte, Frame::longest> bytes;
  const auto used = std::span(bytes).first(frame.size());
  frame.write(used);
  const auto sent = ring.send(used);
  if (code_of(sent) == make_error_code(errc::ring_full)) return false;
  must(sent);
  return true;
}

/// What a packet is, nothing if any byte of it is not what send_frame() sent. Of a short one the
/// number is its lower half.
[[nodiscard]] inline std::optional<Frame> frame_of(const Packet& packet) {
  std::array<std::byte, Frame::longest> bytes;
  std::array<std::byte, Frame::longest> expected;
  const std::size_t size = packet.size();
  if (size < Frame::shortest || size > Frame::longest) return {};
  must(packet.copy_to(bytes));
  Frame frame{static_cast<Address>(bytes[11]), static_cast<Address>(bytes[5]), 0};
  std::memcpy(&frame.number, bytes.data() + 12, 2);
  if (frame.size() != size) return {};
  if (frame.has_number()) std::memcpy(&frame.number, bytes.data() + 14, sizeof frame.number);
  frame.write(std::span(expected).first(size));
  if (std::memcmp(bytes.data(), expected.data(), size) != 0) return {};
  return frame;
}

}  // namespace netmap::test
