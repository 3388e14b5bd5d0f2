// SPDX-License-Identifier: BSD-2-Clause
//
// The headers of a generated packet: Ethernet, IPv4, UDP, 42 bytes.
#pragma once

#include "addresses.hpp"

#include <array>
#include <cstddef>
#include <span>

namespace nmx {

inline constexpr std::size_t header_bytes = 42;
inline constexpr std::size_t shortest_frame = 16;     ///< pkt-gen's
inline constexpr std::size_t longest_frame = 65'535;  ///< so that IPv4 can state the length

using Header = std::array<std::byte, header_bytes>;

/// Headers that differ from packet to packet in endpoints and length only. The UDP checksum is 0,
/// "not computed" (RFC 768); IPv4's is right (RFC 791).
class HeaderBuilder {
 public:
  HeaderBuilder(const MacAddress& source, const MacAddress& destination);

  /// Endpoints, and the length of the whole frame. Too short a frame states an empty payload.
  void set(const Endpoints& endpoints, std::size_t frame_bytes);
  [[nodiscard]] const Header& bytes() const { return header_; }

 private:
  Header header_{};
};

/// Whether these 42 bytes can be HeaderBuilder's with at most one of them damaged.
[[nodiscard]] bool looks_generated(const std::byte* header);

/// Whether a frame begins with headers as HeaderBuilder makes them: Ethernet, IPv4, UDP.
[[nodiscard]] bool is_udp(std::span<const std::byte> frame);

/// Makes a frame that is_udp() go back to where it came from: exchanges MAC addresses, IPv4
/// addresses and ports, which leaves all checksums right. What was sent to a group of stations
/// (broadcast, multicast) comes back from `own`, for no frame may come from a group.
void turn_round(std::span<std::byte> frame, const MacAddress& own);

}  // namespace nmx
