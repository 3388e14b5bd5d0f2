// SPDX-License-Identifier: BSD-2-Clause
#include "frame.hpp"

#include <algorithm>
#include <span>

namespace nmx {
namespace {

constexpr std::size_t mac_bytes = 6;
constexpr std::size_t ethernet_type = 2 * mac_bytes;
constexpr std::size_t ip = 14;
constexpr std::size_t ip_length = ip + 2;
constexpr std::size_t ip_fragment = ip + 6;
constexpr std::size_t ip_lifetime = ip + 8;
constexpr std::size_t ip_protocol = ip + 9;
constexpr std::size_t ip_checksum = ip + 10;
constexpr std::size_t ip_source = ip + 12;
constexpr std::size_t ip_destination = ip + 16;
constexpr std::size_t udp = 34;
constexpr std::size_t udp_length = udp + 4;

constexpr std::byte version_and_length{0x45};
constexpr std::byte protocol_udp{17};

void put16(Header& header, std::size_t at, std::size_t value) {
  header[at] = static_cast<std::byte>(value >> 8);
  header[at + 1] = static_cast<std::byte>(value);
}

void put32(Header& header, std::size_t at, std::uint32_t value) {
  put16(header, at, value >> 16);
  put16(header, at + 2, value & 0xffff);
}

/// The Internet checksum, RFC 1071, of the IPv4 header.
std::uint16_t checksum(const Header& header) {
  std::uint32_t sum = 0;
  for (std::size_t at = ip; at < udp; at += 2) {
    sum += std::to_integer<std::uint32_t>(header[at]) << 8 |
           std::to_integer<std::uint32_t>(header[at + 1]);
  }
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// How many of the three are as HeaderBuilder makes them.
int signs_of_udp(const std::byte* header) {
  const bool is_ipv4 =
      header[ethernet_type] == std::byte{0x08} && header[ethernet_type + 1] == std::byte{0x00};
  const bool is_plain = header[ip] == version_and_length;
  const bool is_udp = header[ip_protocol] == protocol_udp;
  return is_ipv4 + is_plain + is_udp;
}

/// Exchanges two neighbours of so many bytes each.
void exchange(std::span<std::byte> frame, std::size_t at, std::size_t bytes) {
  std::ranges::swap_ranges(frame.subspan(at, bytes), frame.subspan(at + bytes, bytes));
}

}  // namespace

HeaderBuilder::HeaderBuilder(const MacAddress& source, const MacAddress& destination) {
  std::ranges::copy(std::as_bytes(std::span(destination)), header_.begin());
  std::ranges::copy(std::as_bytes(std::span(source)), header_.begin() + mac_bytes);
  put16(header_, ethernet_type, 0x0800);
  header_[ip] = version_and_length;
  put16(header_, ip_fragment, 0x4000);  // do not fragment
  header_[ip_lifetime] = std::byte{64};
  header_[ip_protocol] = protocol_udp;
}

void HeaderBuilder::set(const Endpoints& endpoints, std::size_t frame_bytes) {
  const std::size_t stated = std::max(frame_bytes, header_bytes);
  put16(header_, ip_length, stated - ip);
  put32(header_, ip_source, endpoints.source.address);
  put32(header_, ip_destination, endpoints.destination.address);
  put16(header_, ip_checksum, 0);
  put16(header_, ip_checksum, checksum(header_));
  put16(header_, udp, endpoints.source.port);
  put16(header_, udp + 2, endpoints.destination.port);
  put16(header_, udp_length, stated - udp);
}

bool looks_generated(const std::byte* header) {
  return signs_of_udp(header) >= 2;
}

bool is_udp(std::span<const std::byte> frame) {
  return frame.size() >= header_bytes && signs_of_udp(frame.data()) == 3;
}

void turn_round(std::span<std::byte> frame, const MacAddress& own) {
  exchange(frame, 0, mac_bytes);
  exchange(frame, ip_source, 4);
  exchange(frame, udp, 2);
  const auto source = frame.subspan(mac_bytes, mac_bytes);
  const bool is_group = (source.front() & std::byte{1}) != std::byte{0};
  if (is_group) std::ranges::copy(std::as_bytes(std::span(own)), source.begin());
}

}  // namespace nmx
