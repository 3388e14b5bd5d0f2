// SPDX-License-Identifier: BSD-2-Clause
//
// Hands a UDP datagram to the host's own stack as if it had come in at an interface: "eth0^" is a
// port of its host rings. The Ethernet destination is everybody, so that nobody needs to know the
// interface's address. Needs the kernel module: the embedded device has no host rings.
//
//     example_host_transmit eth0^ 10.0.0.2 10.0.0.1 5000 hello      from .2 to the host, which is
//     .1
#include <netmap/netmap.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>

struct [[gnu::packed]] Headers {
  ether_header ethernet{};
  iphdr ip{};
  udphdr udp{};
};

/// RFC 1071, of a header whose checksum is still 0.
std::uint16_t checksum(const iphdr& header) {
  std::array<std::uint16_t, sizeof header / 2> words{};
  std::memcpy(words.data(), &header, sizeof header);
  std::uint32_t sum = 0;
  for (const std::uint16_t word : words) sum += word;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

Headers make_headers(in_addr from, in_addr to, std::uint16_t port, std::size_t payload) {
  const auto udp_bytes = static_cast<std::uint16_t>(sizeof(udphdr) + payload);
  Headers headers;
  std::memset(headers.ethernet.ether_dhost, 0xff, ETH_ALEN);
  headers.ethernet.ether_shost[0] = 0x02;  // an address of one's own making
  headers.ethernet.ether_type = htons(ETHERTYPE_IP);
  iphdr ip{};
  ip.version = 4;
  ip.ihl = 5;
  ip.ttl = 64;
  ip.protocol = IPPROTO_UDP;
  ip.tot_len = htons(static_cast<std::uint16_t>(sizeof ip + udp_bytes));
  ip.saddr = from.s_addr;
  ip.daddr = to.s_addr;
  ip.check = checksum(ip);
  headers.ip = ip;
  headers.udp.uh_sport = headers.udp.uh_dport = htons(port);
  headers.udp.uh_ulen = htons(udp_bytes);  // and no checksum, which IPv4 allows
  return headers;
}

int main(int argc, char** argv) try {
  in_addr from{}, to{};
  if (argc != 6 || ::inet_aton(argv[2], &from) == 0 || ::inet_aton(argv[3], &to) == 0) {
    return std::fprintf(stderr, "usage: %s PORT^ FROM-IP TO-IP UDP-PORT TEXT\n", argv[0]), 2;
  }
  const auto udp_port = static_cast<std::uint16_t>(std::strtoul(argv[4], nullptr, 10));
  const std::string_view text = argv[5];
  auto port = netmap::open(argv[1]).value();
  if (port.tx_rings().empty() || !port.tx_rings()[0].is_host()) {
    return std::fprintf(stderr, "'%s' has no host rings; add a ^ to its name\n", argv[1]), 1;
  }
  const Headers headers = make_headers(from, to, udp_port, text.size());
  auto packet = port.tx_rings()[0].writer();
  packet.append(std::as_bytes(std::span(&headers, 1))).value();
  packet.append(std::as_bytes(std::span(text))).value();
  packet.commit().value();
  const std::size_t left = port.drain(std::chrono::seconds(1)).value();
  std::printf("%s\n", left == 0 ? "the host has it" : "the host did not take it");
  return left == 0 ? 0 : 1;
} catch (const std::bad_expected_access<netmap::Error>& failure) {
  std::fprintf(stderr, "%s\n", failure.error().message().c_str());
  return 1;
}
