// SPDX-License-Identifier: BSD-2-Clause
#include "frame.hpp"

#include <algorithm>
#include <span>

namespace nmx {
namespace {

constexpr std::size_t mac_bytes = 6;
constexpr std::size_t ethernet_type = 2 * mac_bytes;
constexpr std::size_t ip = 14;
constexpr std::size_t tag_bytes = 4;
constexpr std::size_t ip_protocol = ip + 9;
constexpr std::size_t ip_source = ip + 12;
constexpr std::size_t ipv4_bytes = 20;
constexpr std::size_t ipv6_bytes = 40;
constexpr std::size_t udp = ip + ipv4_bytes;

constexpr std::byte version_and_length{0x45};
constexpr std::byte protocol_udp{17};
constexpr std::byte lifetime{64};

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

HeaderBuilder::HeaderBuilder(const MacAddress& source, const MacAddress& destination,
                             const HeaderOptions& options)
    : is_ipv6_(options.source.has_value()),
      ip_(ip + (options.vlan ? tag_bytes : 0)),
      udp_(ip_ + (is_ipv6_ ? ipv6_bytes : ipv4_bytes)) {
  std::ranges::copy(std::as_bytes(std::span(destination)), bytes_.begin());
  std::ranges::copy(std::as_bytes(std::span(source)), bytes_.begin() + mac_bytes);
  if (options.vlan) {
    put16(ethernet_type, 0x8100);
    put16(ethernet_type + 2, *options.vlan);
  }
  if (is_ipv6_) {
    begin_ipv6(*options.source, *options.destination);
  } else {
    begin_ipv4();
  }
}

Header HeaderBuilder::plain() const {
  Header header;
  std::copy_n(bytes_.begin(), header.size(), header.begin());
  return header;
}

void HeaderBuilder::begin_ipv4() {
  put16(ip_ - 2, 0x0800);
  bytes_[ip_] = version_and_length;
  put16(ip_ + 6, 0x4000);  // do not fragment
  bytes_[ip_ + 8] = lifetime;
  bytes_[ip_ + 9] = protocol_udp;
}

void HeaderBuilder::begin_ipv6(const Prefix& source, const Prefix& destination) {
  put16(ip_ - 2, 0x86dd);
  bytes_[ip_] = std::byte{0x60};
  bytes_[ip_ + 6] = protocol_udp;
  bytes_[ip_ + 7] = lifetime;
  std::ranges::copy(std::as_bytes(std::span(source)), bytes_.begin() + ip_ + 8);
  std::ranges::copy(std::as_bytes(std::span(destination)), bytes_.begin() + ip_ + 24);
}

void HeaderBuilder::set(const Endpoints& endpoints, std::size_t frame_bytes) {
  const std::size_t stated = std::max(frame_bytes, bytes().size()) - udp_;
  put16(udp_, endpoints.source.port);
  put16(udp_ + 2, endpoints.destination.port);
  put16(udp_ + 4, stated);
  if (is_ipv6_) {
    set_ipv6(endpoints, stated);
  } else {
    set_ipv4(endpoints, stated);
  }
}

void HeaderBuilder::set_ipv4(const Endpoints& endpoints, std::size_t bytes) {
  put16(ip_ + 2, ipv4_bytes + bytes);
  put32(ip_ + 12, endpoints.source.address);
  put32(ip_ + 16, endpoints.destination.address);
  put16(ip_ + 10, 0);
  put16(ip_ + 10, checksum(ip_, udp_, 0));
}

void HeaderBuilder::set_ipv6(const Endpoints& endpoints, std::size_t bytes) {
  put16(ip_ + 4, bytes);
  put32(ip_ + 20, endpoints.source.address);
  put32(ip_ + 36, endpoints.destination.address);
  put16(udp_ + 6, 0);
  const std::size_t pseudo_header = bytes + std::to_integer<std::size_t>(protocol_udp);
  const std::uint16_t sum = checksum(ip_ + 8, udp_ + udp_header_bytes, pseudo_header);
  put16(udp_ + 6, sum == 0 ? 0xffff : sum);  // 0 says that there is none
}

void HeaderBuilder::put16(std::size_t at, std::size_t value) {
  bytes_[at] = static_cast<std::byte>(value >> 8);
  bytes_[at + 1] = static_cast<std::byte>(value);
}

void HeaderBuilder::put32(std::size_t at, std::uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value & 0xffff);
}

std::uint16_t HeaderBuilder::checksum(std::size_t from, std::size_t to, std::size_t more) const {
  auto sum = static_cast<std::uint32_t>(more);
  for (std::size_t at = from; at < to; at += 2) {
    sum += std::to_integer<std::uint32_t>(bytes_[at]) << 8 |
           std::to_integer<std::uint32_t>(bytes_[at + 1]);
  }
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
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
