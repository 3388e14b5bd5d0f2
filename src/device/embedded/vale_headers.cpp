// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/vale_headers.hpp"

#include <netmap/abi.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>

namespace netmap::embedded {
namespace {

using Bytes = std::span<std::byte>;
using ConstBytes = std::span<const std::byte>;

/// virtio_net_hdr, but for the two bytes that some have behind it. Little-endian, as its users are.
struct VirtioHeader {
  std::uint8_t flags;
  std::uint8_t gso_type;
  std::uint16_t header_bytes;
  std::uint16_t gso_bytes;
  std::uint16_t checksum_start;
  std::uint16_t checksum_offset;
};
static_assert(sizeof(VirtioHeader) == abi::vnet_hdr_len::legacy);
static_assert(std::endian::native == std::endian::little);

constexpr std::uint8_t needs_checksum = 1;
constexpr std::uint8_t data_valid = 2;
constexpr std::uint8_t gso_none = 0;
constexpr std::uint8_t gso_tcp4 = 1;
constexpr std::uint8_t gso_udp = 3;
constexpr std::uint8_t gso_tcp6 = 4;
constexpr std::uint8_t gso_ecn = 0x80;

constexpr std::size_t max_frame = 1514;  // of a port without headers
constexpr std::size_t address_pair = 12;
constexpr std::size_t type_bytes = 2;
constexpr std::size_t vlan_bytes = 4;
constexpr std::uint16_t type_vlan = 0x8100;
constexpr std::uint16_t type_ipv4 = 0x0800;
constexpr std::uint16_t type_ipv6 = 0x86dd;
constexpr std::size_t shortest_ipv4 = 20;
constexpr std::size_t ipv6_bytes = 40;
constexpr std::size_t shortest_tcp = 20;
constexpr std::size_t udp_bytes = 8;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;

std::uint8_t byte_at(ConstBytes bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}
/// In network order.
std::uint16_t load16(ConstBytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}
void store16(Bytes bytes, std::size_t at, std::size_t value) {
  bytes[at] = std::byte(value >> 8 & 0xff);
  bytes[at + 1] = std::byte(value & 0xff);
}

/// RFC 1071, not yet folded.
std::uint64_t sum(ConstBytes bytes, std::uint64_t initial = 0) {
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) initial += load16(bytes, at);
  return bytes.size() % 2 == 0 ? initial
                               : initial + (std::uint64_t{byte_at(bytes, bytes.size() - 1)} << 8);
}
std::uint16_t checksum(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

bool is_known(const VirtioHeader& header) {
  const int type = header.gso_type & ~gso_ecn;
  return (type == gso_none || type == gso_tcp4 || type == gso_udp || type == gso_tcp6) &&
         (header.flags & ~(needs_checksum | data_valid)) == 0;
}

/// The field holds the sum of what is not in the packet; a request that reaches beyond it is
/// ignored.
void complete_checksum(Frame& frame, const VirtioHeader& header) {
  const std::size_t at = std::size_t{header.checksum_start} + header.checksum_offset;
  if ((header.flags & needs_checksum) == 0 || at + 2 > frame.size()) return;
  store16(frame, at, checksum(sum(ConstBytes(frame).subspan(header.checksum_start))));
}

/// Where the headers of a TCP or UDP packet begin, in bytes, and where its data does.
struct Layers {
  std::size_t network;
  std::size_t transport;
  std::size_t data;
  bool is_ipv4;
  bool is_tcp;
};
std::optional<Layers> find_layers(ConstBytes frame, bool is_tcp) {
  std::size_t type = address_pair;
  const auto has = [&frame](std::size_t bytes) { return frame.size() >= bytes; };
  while (has(type + type_bytes) && load16(frame, type) == type_vlan) type += vlan_bytes;
  const std::size_t network = type + type_bytes;
  if (!has(network + shortest_ipv4)) return {};
  const std::uint16_t protocol = load16(frame, type);
  if (protocol != type_ipv4 && protocol != type_ipv6) return {};
  const bool is_ipv4 = protocol == type_ipv4;
  const std::size_t transport =
      network + (is_ipv4 ? std::size_t{4} * (byte_at(frame, network) & 0xfU) : ipv6_bytes);
  if (!has(transport + (is_tcp ? shortest_tcp : udp_bytes))) return {};
  const std::size_t data =
      transport + (is_tcp ? std::size_t{4} * (byte_at(frame, transport + 12) >> 4U) : udp_bytes);
  if (!has(data) || data >= max_frame || (is_ipv4 && transport < network + shortest_ipv4))
    return {};
  return Layers{network, transport, data, is_ipv4, is_tcp};
}

void finish_ipv4(Bytes packet, std::size_t header_bytes, std::size_t number) {
  store16(packet, 2, packet.size());
  store16(packet, 4, load16(packet, 4) + number);
  store16(packet, 10, 0);
  store16(packet, 10, checksum(sum(packet.first(header_bytes))));
}

void finish_tcp(Bytes segment, std::size_t sent, bool is_last) {
  const std::uint32_t number = (std::uint32_t{load16(segment, 4)} << 16 | load16(segment, 6)) +
                               static_cast<std::uint32_t>(sent);
  store16(segment, 4, number >> 16);
  store16(segment, 6, number & 0xffff);
  constexpr std::byte push_and_fin{0x09};
  if (!is_last) segment[13] &= ~push_and_fin;
}

/// Of the segment with the number `number`, before which `sent` bytes of data went.
void finish(Bytes frame, const Layers& layers, std::size_t number, std::size_t sent, bool is_last) {
  const Bytes packet = frame.subspan(layers.network);
  const Bytes segment = frame.subspan(layers.transport);
  if (layers.is_ipv4) {
    finish_ipv4(packet, layers.transport - layers.network, number);
  } else {
    store16(packet, 4, segment.size());
  }
  if (layers.is_tcp) {
    finish_tcp(segment, sent, is_last);
  } else {
    store16(segment, 4, segment.size());
  }
  const std::size_t field = layers.is_tcp ? 16 : 6;
  const ConstBytes addresses = layers.is_ipv4 ? packet.subspan(12, 8) : packet.subspan(8, 32);
  const std::uint64_t pseudo_header =
      sum(addresses) + segment.size() + (layers.is_tcp ? protocol_tcp : protocol_udp);
  store16(segment, field, 0);
  store16(segment, field, checksum(sum(segment, pseudo_header)));
}

/// Frames with the packet's headers, each with as much of its data as there is room for.
std::vector<Frame> cut(ConstBytes packet, bool is_tcp) {
  const auto layers = find_layers(packet, is_tcp);
  if (!layers) return {};
  const ConstBytes headers = packet.first(layers->data);
  std::vector<Frame> frames;
  for (ConstBytes left = packet.subspan(layers->data); !left.empty();) {
    const std::size_t bytes = std::min(left.size(), max_frame - headers.size());
    Frame frame(headers.begin(), headers.end());
    frame.insert(frame.end(), left.begin(), left.begin() + static_cast<std::ptrdiff_t>(bytes));
    const std::size_t sent = packet.size() - headers.size() - left.size();
    left = left.subspan(bytes);
    finish(frame, *layers, frames.size(), sent, left.empty());
    frames.push_back(std::move(frame));
  }
  return frames;
}

}  // namespace

std::vector<Frame> convert_header(std::span<const std::byte> packet, std::size_t from,
                                  std::size_t to) {
  if (packet.size() <= from) return {};
  VirtioHeader header{};
  if (from != abi::vnet_hdr_len::none) std::memcpy(&header, packet.data(), sizeof header);
  const ConstBytes bytes = packet.subspan(from);
  if (to == abi::vnet_hdr_len::none) {
    if (!is_known(header)) return {};
    const int type = header.gso_type & ~gso_ecn;
    if (type != gso_none) return cut(bytes, type != gso_udp);
  }
  const auto raw = std::as_bytes(std::span(&header, 1)).first(std::min(to, sizeof header));
  Frame frame(raw.begin(), raw.end());
  frame.resize(to);
  frame.insert(frame.end(), bytes.begin(), bytes.end());
  if (to == abi::vnet_hdr_len::none) complete_checksum(frame, header);
  return {std::move(frame)};
}

}  // namespace netmap::embedded
