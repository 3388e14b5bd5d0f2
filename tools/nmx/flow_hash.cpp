// SPDX-License-Identifier: BSD-2-Clause
#include "flow_hash.hpp"

#include <bit>
#include <cstring>
#include <optional>

namespace nmx {
namespace {

// IANA's numbers.
constexpr unsigned ethertype_ipv4 = 0x0800;
constexpr unsigned ethertype_ipv6 = 0x86dd;
constexpr unsigned ethertype_vlan = 0x8100;
constexpr unsigned ethertype_provider_vlan = 0x88a8;
constexpr unsigned ethertype_bridged = 0x6558;  ///< of GRE: an Ethernet frame

enum Protocol : unsigned {
  hop_by_hop = 0,
  ipv4 = 4,
  tcp = 6,
  udp_protocol = 17,
  dccp = 33,
  ipv6 = 41,
  routing = 43,
  ipv6_fragment = 44,
  gre = 47,
  authentication = 51,
  destination_options = 60,
  sctp = 132,
  udp_lite = 136,
};

/// Tunnels within tunnels, and headers of IPv6, that are looked through; a bound on what one
/// packet costs.
constexpr int most_headers = 16;

using Bytes = std::span<const std::byte>;

/// Big-endian. Precondition: they are there.
template <class Number>
Number number_at(Bytes bytes, std::size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  if constexpr (std::endian::native == std::endian::little) {
    if constexpr (sizeof number == 2) return __builtin_bswap16(number);
    if constexpr (sizeof number == 4) return __builtin_bswap32(number);
    if constexpr (sizeof number == 8) return __builtin_bswap64(number);
  }
  return number;
}
unsigned byte_at(Bytes bytes, std::size_t at) {
  return std::to_integer<unsigned>(bytes[at]);
}

std::uint64_t mix(std::uint64_t value) {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio
  value = (value ^ value >> 32) * odd;
  value = (value ^ value >> 29) * odd;
  return value ^ value >> 32;
}
/// Of two ends, whichever comes first.
std::uint32_t hash_of(std::uint64_t one, std::uint64_t other) {
  return static_cast<std::uint32_t>((mix(one) + mix(other)) >> 32);
}

/// What an IP header says.
struct Packet {
  std::uint64_t source = 0;
  std::uint64_t destination = 0;
  unsigned protocol = 0;
  bool is_fragment = false;
  Bytes payload;
};

std::optional<Packet> read_ipv4(Bytes bytes) {
  constexpr std::size_t shortest = 20;
  if (bytes.size() < shortest || byte_at(bytes, 0) >> 4 != 4) return {};
  const std::size_t header = (byte_at(bytes, 0) & 0xf) * std::size_t{4};
  if (header < shortest || header > bytes.size()) return {};
  constexpr unsigned more_or_offset = 0x3fff;
  return Packet{.source = number_at<std::uint32_t>(bytes, 12),
                .destination = number_at<std::uint32_t>(bytes, 16),
                .protocol = byte_at(bytes, 9),
                .is_fragment = (number_at<std::uint16_t>(bytes, 6) & more_or_offset) != 0,
                .payload = bytes.subspan(header)};
}

/// Steps over one extension header of IPv6 (RFC 8200, 4; RFC 4302); false if there is none, or no
/// end of it.
bool skip_extension(Packet& packet) {
  const Bytes rest = packet.payload;
  const bool is_extension = packet.protocol == hop_by_hop || packet.protocol == routing ||
                            packet.protocol == ipv6_fragment || packet.protocol == authentication ||
                            packet.protocol == destination_options;
  if (!is_extension || rest.size() < 8) return false;
  std::size_t length = 8 + std::size_t{8} * byte_at(rest, 1);
  if (packet.protocol == authentication) length = 8 + std::size_t{4} * byte_at(rest, 1);
  if (packet.protocol == ipv6_fragment) {
    constexpr unsigned more_or_offset = 0xfff9;
    packet.is_fragment |= (number_at<std::uint16_t>(rest, 2) & more_or_offset) != 0;
    length = 8;
  }
  if (length > rest.size()) return false;
  packet.protocol = byte_at(rest, 0);
  packet.payload = rest.subspan(length);
  return true;
}

std::optional<Packet> read_ipv6(Bytes bytes) {
  constexpr std::size_t header = 40;
  if (bytes.size() < header || byte_at(bytes, 0) >> 4 != 6) return {};
  const auto address = [&](std::size_t at) {
    return mix(number_at<std::uint64_t>(bytes, at)) + number_at<std::uint64_t>(bytes, at + 8);
  };
  Packet packet{.source = address(8),
                .destination = address(24),
                .protocol = byte_at(bytes, 6),
                .payload = bytes.subspan(header)};
  for (int i = 0; i != most_headers && !packet.is_fragment && skip_extension(packet); ++i) {
  }
  return packet;
}

/// A packet, and what kind it is.
struct Layer {
  unsigned ethertype = 0;
  Bytes bytes;
};

/// What lies behind MAC addresses and VLAN tags.
Layer behind_ethernet(Bytes frame) {
  std::size_t at = 12;
  for (; at + 2 <= frame.size(); at += 4) {
    const unsigned type = number_at<std::uint16_t>(frame, at);
    if (type == ethertype_vlan || type == ethertype_provider_vlan) continue;
    return {type, frame.subspan(at + 2)};
  }
  return {};
}

/// What GRE carries (RFC 2784, RFC 2890); nothing of its old version with routes, nor of PPTP's.
Layer inside_gre(Bytes bytes) {
  if (bytes.size() < 4) return {};
  const unsigned flags = number_at<std::uint16_t>(bytes, 0);
  constexpr unsigned checksum = 0x8000, route = 0x4000, key = 0x2000, sequence = 0x1000;
  if ((flags & (route | 0x7)) != 0) return {};
  std::size_t header = 4;
  for (const unsigned optional : {checksum, key, sequence}) header += (flags & optional) ? 4 : 0;
  if (header > bytes.size()) return {};
  const Layer inside{number_at<std::uint16_t>(bytes, 2), bytes.subspan(header)};
  return inside.ethertype == ethertype_bridged ? behind_ethernet(inside.bytes) : inside;
}

Layer inside(const Packet& packet) {
  if (packet.is_fragment) return {};
  if (packet.protocol == ipv4) return {ethertype_ipv4, packet.payload};
  if (packet.protocol == ipv6) return {ethertype_ipv6, packet.payload};
  if (packet.protocol == gre) return inside_gre(packet.payload);
  return {};
}

std::optional<Packet> read(const Layer& layer) {
  if (layer.ethertype == ethertype_ipv4) return read_ipv4(layer.bytes);
  if (layer.ethertype == ethertype_ipv6) return read_ipv6(layer.bytes);
  return {};
}

bool has_ports(const Packet& packet) {
  const unsigned protocol = packet.protocol;
  return !packet.is_fragment && packet.payload.size() >= 4 &&
         (protocol == tcp || protocol == udp_protocol || protocol == sctp || protocol == dccp ||
          protocol == udp_lite);
}

std::uint32_t hash_of(const Packet& packet) {
  if (!has_ports(packet)) return hash_of(packet.source, packet.destination);
  const std::uint64_t from = number_at<std::uint16_t>(packet.payload, 0);
  const std::uint64_t to = number_at<std::uint16_t>(packet.payload, 2);
  // Above an address of IPv4.
  return hash_of(packet.source + (from << 32), packet.destination + (to << 32));
}

std::uint32_t hash_of_macs(Bytes frame) {
  if (frame.size() < 12) return 0;
  const auto mac = [&](std::size_t at) {
    return std::uint64_t{number_at<std::uint16_t>(frame, at)} << 32 |
           number_at<std::uint32_t>(frame, at + 2);
  };
  return hash_of(mac(0), mac(6));
}

}  // namespace

Flow flow_of(Bytes frame) noexcept {
  auto packet = read(behind_ethernet(frame));
  if (!packet) return {hash_of_macs(frame), false};
  for (int i = 0; i != most_headers; ++i) {
    const auto inner = read(inside(*packet));
    if (!inner) break;
    packet = inner;
  }
  return {hash_of(*packet), true};
}

}  // namespace nmx
