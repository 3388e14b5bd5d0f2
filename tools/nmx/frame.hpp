// SPDX-License-Identifier: BSD-2-Clause
//
// The headers of a generated packet: Ethernet, IPv4, UDP, 42 bytes; with a VLAN tag 4 more, with
// IPv6 20 more.
#pragma once

#include "addresses.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace nmx {

inline constexpr std::size_t header_bytes = 42;
inline constexpr std::size_t shortest_frame = 16;     ///< pkt-gen's
inline constexpr std::size_t longest_frame = 65'535;  ///< so that IPv4 can state the length

/// Those of plain IPv4.
using Header = std::array<std::byte, header_bytes>;

struct HeaderOptions {
  std::optional<std::uint16_t> vlan = {};  ///< a tag's priority and number, IEEE 802.1Q
  /// Of the addresses, if they are IPv6; both or neither.
  std::optional<Prefix> source = {};
  std::optional<Prefix> destination = {};
};

/// Headers that differ from packet to packet in endpoints and length only. IPv4's checksum is right
/// (RFC 791); UDP's is 0, "not computed" (RFC 768), in IPv4, and right in IPv6 (RFC 8200) if what
/// follows are zeros.
class HeaderBuilder {
 public:
  HeaderBuilder(const MacAddress& source, const MacAddress& destination,
                const HeaderOptions& options = {});

  /// Endpoints, and the length of the whole frame. Too short a frame states an empty payload.
  void set(const Endpoints& endpoints, std::size_t frame_bytes);
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return std::span(bytes_).first(udp_ + udp_header_bytes);
  }
  /// Precondition: neither a tag nor IPv6.
  [[nodiscard]] Header plain() const;

 private:
  static constexpr std::size_t udp_header_bytes = 8;
  static constexpr std::size_t longest = 66;

  void begin_ipv4();
  void begin_ipv6(const Prefix& source, const Prefix& destination);
  void set_ipv4(const Endpoints& endpoints, std::size_t bytes);
  void set_ipv6(const Endpoints& endpoints, std::size_t bytes);
  void put16(std::size_t at, std::size_t value);
  void put32(std::size_t at, std::uint32_t value);
  /// The Internet checksum, RFC 1071, of what stands there and of `more`.
  [[nodiscard]] std::uint16_t checksum(std::size_t from, std::size_t to, std::size_t more) const;

  std::array<std::byte, longest> bytes_{};
  bool is_ipv6_;
  std::size_t ip_;
  std::size_t udp_;
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
