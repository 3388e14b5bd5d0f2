// SPDX-License-Identifier: BSD-2-Clause
//
// VALE ports with and without virtio-net headers on one switch: what senders left to do is done for
// those that have none.
#include "conformance/ethernet.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace netmap::conformance {
namespace {

using Bytes = std::vector<std::byte>;
using Packets = std::vector<Bytes>;

/// virtio_net_hdr.
struct Header {
  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t header_bytes = 0;
  std::uint16_t gso_bytes = 0;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
};
constexpr std::uint8_t needs_checksum = 1;
constexpr std::uint8_t tcp4 = 1;

constexpr std::size_t ip = 14;
constexpr std::size_t tcp = ip + 20;
constexpr std::size_t data = tcp + 20;
constexpr std::size_t most_data = 1514 - data;

void put16(Bytes& bytes, std::size_t at, std::size_t value) {
  bytes[at] = std::byte(value >> 8);
  bytes[at + 1] = std::byte(value & 0xff);
}
std::uint32_t get16(std::span<const std::byte> bytes, std::size_t at) {
  return std::to_integer<std::uint32_t>(bytes[at]) << 8 |
         std::to_integer<std::uint32_t>(bytes[at + 1]);
}

/// RFC 1071: 0xffff of what is right.
std::uint32_t folded_sum(std::span<const std::byte> bytes, std::uint32_t sum = 0) {
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) sum += get16(bytes, at);
  if (bytes.size() % 2 != 0) sum += std::to_integer<std::uint32_t>(bytes.back()) << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}
std::uint32_t pseudo_header(std::span<const std::byte> frame) {
  return folded_sum(frame.subspan(ip + 12, 8), static_cast<std::uint32_t>(6 + frame.size() - tcp));
}

/// A TCP segment over IPv4 with so much data; its checksum is that of the pseudo-header alone.
Bytes segment(std::size_t data_bytes) {
  Bytes frame(data + data_bytes);
  for (std::size_t i = data; i != frame.size(); ++i) frame[i] = std::byte(i * 7 % 251);
  std::ranges::fill(std::span(frame).first(6), std::byte{0xff});
  frame[6] = std::byte{2};
  put16(frame, 12, 0x0800);
  frame[ip] = std::byte{0x45};
  put16(frame, ip + 2, frame.size() - ip);
  put16(frame, ip + 4, 100);  // identification
  frame[ip + 9] = std::byte{6};
  put16(frame, ip + 12, 0x0a00);
  put16(frame, ip + 14, 1);
  put16(frame, ip + 16, 0x0a00);
  put16(frame, ip + 18, 2);
  put16(frame, tcp + 6, 1000);  // sequence number
  frame[tcp + 12] = std::byte{0x50};
  frame[tcp + 13] = std::byte{0x19};  // ACK, PSH, FIN
  put16(frame, tcp + 16, pseudo_header(frame));
  return frame;
}

Bytes with_header(const Header& header, std::size_t bytes, const Bytes& frame) {
  Bytes packet(bytes);
  std::memcpy(packet.data(), &header, std::min(bytes, sizeof header));
  packet.insert(packet.end(), frame.begin(), frame.end());
  return packet;
}

class ValeHeaders : public OnDevice {
 protected:
  [[nodiscard]] std::string port_name(const std::string& port) const {
    return "vale" + base() + ":" + port;
  }
  [[nodiscard]] Port open_with_header(const std::string& port, std::uint32_t bytes) const {
    Port opened = open(port_name(port), {.flags = abi::register_flags::accept_vnet_hdr});
    must(set_vnet_header(port_name(port), bytes, device()));
    return opened;
  }
  static void send(Port& port, const Bytes& packet) {
    must(port.tx_rings()[0].send(packet));
    must(port.sync_tx());
  }
  static Packets take(Port& port) {
    Packets packets;
    must(port.sync_rx());
    port.rx_rings()[0].for_each([&](const Packet& packet) {
      packets.emplace_back(packet.size());
      must(packet.copy_to(packets.back()));
    });
    return packets;
  }
};
ON_EVERY_DEVICE(ValeHeaders);

TEST_P(ValeHeaders, ComeGoAndChangeTheirLengthBetweenPorts) {
  OPEN_OR_END(plain, port_name("plain"));
  Port ten = open_with_header("ten", 10);
  Port twelve = open_with_header("twelve", 12);
  const Bytes bytes = frame(1, 1);
  send(plain, bytes);
  EXPECT_EQ(take(ten), Packets{with_header({}, 10, bytes)});
  EXPECT_EQ(take(twelve), Packets{with_header({}, 12, bytes)});
  const Header header{.flags = 0, .gso_type = 0, .header_bytes = 14, .gso_bytes = 7};
  send(ten, with_header(header, 10, bytes));
  EXPECT_EQ(take(plain), Packets{bytes});
  EXPECT_EQ(take(twelve), Packets{with_header(header, 12, bytes)});
  send(twelve, with_header(header, 12, bytes));
  EXPECT_EQ(take(plain), Packets{bytes});
  EXPECT_EQ(take(ten), Packets{with_header(header, 10, bytes)});
}

TEST_P(ValeHeaders, LeaveAddressesToBeLearntFromTheFrame) {
  OPEN_OR_END(plain, port_name("plain"));
  Port ten = open_with_header("ten", 10);
  Port other = open(port_name("other"));
  send(ten, with_header({}, 10, frame(1, 1)));
  EXPECT_EQ(take(plain).size(), 1U);
  EXPECT_EQ(take(other).size(), 1U);
  send(plain, frame(2, 2, 1));
  EXPECT_EQ(take(ten), Packets{with_header({}, 10, frame(2, 2, 1))});
  EXPECT_TRUE(take(other).empty());
}

TEST_P(ValeHeaders, HaveChecksumsCompletedForThoseWithoutThem) {
  OPEN_OR_END(plain, port_name("plain"));
  Port ten = open_with_header("ten", 10);
  for (const std::size_t bytes : {0U, 1U, 100U, 1401U}) {
    const Header header{.flags = needs_checksum, .checksum_start = tcp, .checksum_offset = 16};
    const Bytes unfinished = segment(bytes);
    send(ten, with_header(header, 10, unfinished));
    const auto taken = take(plain);
    ASSERT_EQ(taken.size(), 1U);
    ASSERT_EQ(taken[0].size(), unfinished.size());
    EXPECT_EQ(folded_sum(std::span(taken[0]).subspan(tcp), pseudo_header(taken[0])), 0xffffU)
        << bytes;
    Bytes same = taken[0];
    put16(same, tcp + 16, get16(unfinished, tcp + 16));
    EXPECT_EQ(same, unfinished) << "nothing else has changed";
  }
}

TEST_P(ValeHeaders, HaveLargeSegmentsCutForThoseWithoutThem) {
  OPEN_OR_END(plain, port_name("plain"));
  Port twelve = open_with_header("twelve", 12);
  const Header header{.flags = needs_checksum,
                      .gso_type = tcp4,
                      .header_bytes = data,
                      .gso_bytes = most_data,
                      .checksum_start = tcp,
                      .checksum_offset = 16};
  const Bytes whole = segment(2 * most_data + 77);
  send(twelve, with_header(header, 12, whole));
  const auto taken = take(plain);
  ASSERT_EQ(taken.size(), 3U);
  Bytes joined;
  for (std::size_t i = 0; i != 3; ++i) {
    const std::span<const std::byte> one = taken[i];
    ASSERT_EQ(one.size(), data + (i < 2 ? most_data : 77));
    EXPECT_EQ(get16(one, ip + 2), one.size() - ip);
    EXPECT_EQ(get16(one, ip + 4), 100 + i);
    EXPECT_EQ(folded_sum(one.subspan(ip, 20)), 0xffffU);
    EXPECT_EQ(get16(one, tcp + 6), 1000 + joined.size());
    EXPECT_EQ(one[tcp + 13], i < 2 ? std::byte{0x10} : std::byte{0x19}) << "PSH and FIN at the end";
    EXPECT_EQ(folded_sum(one.subspan(tcp), pseudo_header(one)), 0xffffU);
    joined.insert(joined.end(), one.begin() + data, one.end());
  }
  EXPECT_EQ(joined, Bytes(whole.begin() + data, whole.end()));
}

TEST_P(ValeHeaders, AreNotBelievedIfTheyCannotBe) {
  OPEN_OR_END(plain, port_name("plain"));
  Port ten = open_with_header("ten", 10);
  send(ten, with_header({.gso_type = 9}, 10, segment(100)));
  send(ten, with_header({.flags = 0x80}, 10, segment(100)));
  send(ten, with_header({.gso_type = tcp4}, 10, frame(1, 1, broadcast, 200)));  // it is not IP
  EXPECT_TRUE(take(plain).empty());
  const Header outside{.flags = needs_checksum, .checksum_start = 2000, .checksum_offset = 16};
  send(ten, with_header(outside, 10, frame(2, 1)));
  EXPECT_EQ(take(plain), Packets{frame(2, 1)});
}

}  // namespace
}  // namespace netmap::conformance
