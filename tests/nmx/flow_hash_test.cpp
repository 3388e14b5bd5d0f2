// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/flow_hash.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace nmx {
namespace {

using Frame = std::vector<std::byte>;

Frame bytes(std::initializer_list<unsigned> values) {
  Frame frame;
  for (const unsigned value : values) frame.push_back(static_cast<std::byte>(value));
  return frame;
}
Frame operator+(Frame a, const Frame& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
Frame repeated(unsigned value, std::size_t times) {
  return Frame(times, static_cast<std::byte>(value));
}
Frame number(unsigned value) {
  return bytes({value >> 8, value & 0xff});
}

struct Ends {
  unsigned source;
  unsigned destination;
  unsigned from = 1000;
  unsigned to = 80;
  [[nodiscard]] Ends turned() const { return {destination, source, to, from}; }
};

constexpr Ends client{7, 9};

Frame ethernet(const Ends& ends, const Frame& behind) {
  return repeated(ends.destination, 6) + repeated(ends.source, 6) + behind;
}
Frame ports(const Ends& ends) {
  return number(ends.from) + number(ends.to) + repeated(0, 16);
}
Frame ipv4(const Ends& ends, unsigned protocol, const Frame& payload, unsigned fragment = 0,
           const Frame& options = {}) {
  return bytes({0x45 + static_cast<unsigned>(options.size() / 4), 0}) +
         number(20 + static_cast<unsigned>(payload.size())) + number(1) + number(fragment) +
         bytes({64, protocol, 0, 0, 10, 0, 0, ends.source, 10, 0, 0, ends.destination}) + options +
         payload;
}
Frame ipv6(const Ends& ends, unsigned next, const Frame& payload) {
  return bytes({0x60, 0, 0, 0}) + number(static_cast<unsigned>(payload.size())) +
         bytes({next, 64}) + repeated(0x20, 15) + bytes({ends.source}) + repeated(0x20, 15) +
         bytes({ends.destination}) + payload;
}

const Frame type_ipv4 = number(0x0800);
const Frame type_ipv6 = number(0x86dd);
constexpr unsigned udp = 17;
constexpr unsigned icmp = 1;

struct Kind {
  std::string name;
  std::function<Frame(Ends)> frame;
  bool is_ip = true;
  bool has_ports = true;
};

const Kind plain{"IPv4", [](Ends e) { return ethernet(e, type_ipv4 + ipv4(e, udp, ports(e))); }};

const std::vector<Kind>& kinds() {
  static const Ends outer{1, 2};
  static const std::vector<Kind> all{
      plain,
      {"IPv4 with options",
       [](Ends e) { return ethernet(e, type_ipv4 + ipv4(e, 6, ports(e), 0, repeated(1, 8))); }},
      {"two VLAN tags",
       [](Ends e) {
         return ethernet(e, number(0x88a8) + number(5) + number(0x8100) + number(9) + type_ipv4 +
                                ipv4(e, udp, ports(e)));
       }},
      {"IPv6", [](Ends e) { return ethernet(e, type_ipv6 + ipv6(e, udp, ports(e))); }},
      {"IPv6 with extensions",
       [](Ends e) {
         return ethernet(e, type_ipv6 + ipv6(e, 0,
                                             bytes({60, 0}) + repeated(0, 6) + bytes({132, 1}) +
                                                 repeated(0, 14) + ports(e)));
       }},
      {"IPv4 in IPv4",
       [](Ends e) { return ethernet(outer, type_ipv4 + ipv4(outer, 4, ipv4(e, udp, ports(e)))); }},
      {"IPv6 in IPv4",
       [](Ends e) { return ethernet(outer, type_ipv4 + ipv4(outer, 41, ipv6(e, udp, ports(e)))); }},
      {"IPv4 in IPv6",
       [](Ends e) { return ethernet(outer, type_ipv6 + ipv6(outer, 4, ipv4(e, udp, ports(e)))); }},
      {"GRE with key and sequence",
       [](Ends e) {
         return ethernet(outer, type_ipv4 + ipv4(outer, 47,
                                                 number(0x3000) + type_ipv4 + repeated(3, 8) +
                                                     ipv4(e, udp, ports(e))));
       }},
      {"Ethernet in GRE",
       [](Ends e) {
         return ethernet(outer,
                         type_ipv4 + ipv4(outer, 47,
                                          number(0) + number(0x6558) +
                                              ethernet(outer, type_ipv6 + ipv6(e, udp, ports(e)))));
       }},
      {"first fragment",
       [](Ends e) { return ethernet(e, type_ipv4 + ipv4(e, udp, ports(e), 0x2000)); }, true, false},
      {"last fragment",
       [](Ends e) { return ethernet(e, type_ipv4 + ipv4(e, udp, ports(e), 0x00b9)); }, true, false},
      {"fragment of IPv6",
       [](Ends e) {
         return ethernet(
             e, type_ipv6 + ipv6(e, 44, bytes({udp, 0, 0x05, 0xa9, 0, 0, 0, 1}) + ports(e)));
       },
       true, false},
      {"ICMP", [](Ends e) { return ethernet(e, type_ipv4 + ipv4(e, icmp, ports(e))); }, true,
       false},
      {"ARP", [](Ends e) { return ethernet(e, number(0x0806) + ports(e)); }, false, false},
  };
  return all;
}

class FlowHash : public testing::TestWithParam<std::size_t> {
 protected:
  [[nodiscard]] const Kind& kind() const { return kinds()[GetParam()]; }
  [[nodiscard]] Flow flow(const Ends& ends) const { return flow_of(kind().frame(ends)); }
};

TEST_P(FlowHash, IsThatOfTheOtherDirection) {
  for (unsigned from = 1; from != 200; ++from) {
    const Ends ends{from, 9, from * 300, 80};
    EXPECT_EQ(flow(ends).hash, flow(ends.turned()).hash) << kind().name;
  }
  EXPECT_EQ(flow(client).is_ip, kind().is_ip) << kind().name;
}

TEST_P(FlowHash, TellsAddressesApart) {
  std::set<std::uint32_t> hashes;
  for (unsigned source = 10; source != 110; ++source) hashes.insert(flow({source, 9}).hash);
  EXPECT_EQ(hashes.size(), 100) << kind().name;
}

TEST_P(FlowHash, TellsPortsApartIfThereAreAny) {
  std::set<std::uint32_t> hashes;
  for (unsigned port = 1; port != 101; ++port) hashes.insert(flow({7, 9, port, 80}).hash);
  EXPECT_EQ(hashes.size(), kind().has_ports ? 100 : 1) << kind().name;
}

// The frame alone in memory, so that asan sees what is read behind it.
TEST_P(FlowHash, ReadsNothingBehindTheFrame) {
  const Frame whole = kind().frame(client);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const auto alone = std::make_unique<std::byte[]>(size);
    std::copy_n(whole.begin(), size, alone.get());
    const Flow flow = flow_of({alone.get(), size});
    EXPECT_EQ(flow.hash, flow_of({whole.data(), size}).hash) << kind().name << ", " << size;
  }
}

TEST_P(FlowHash, ReadsNothingBehindTheFrameWhateverAByteSays) {
  const Frame whole = kind().frame(client);
  const auto alone = std::make_unique<std::byte[]>(whole.size());
  for (std::size_t at = 12; at < whole.size(); ++at) {
    for (unsigned value = 0; value != 256; ++value) {
      std::copy_n(whole.begin(), whole.size(), alone.get());
      alone[at] = static_cast<std::byte>(value);
      (void)flow_of({alone.get(), whole.size()});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, FlowHash, testing::Range(std::size_t{0}, kinds().size()));

TEST(FlowHashOf, AllFragmentsOfAPacketIsOne) {
  const Frame first = ethernet(client, type_ipv4 + ipv4(client, udp, ports(client), 0x2000));
  const Frame later = ethernet(client, type_ipv4 + ipv4(client, udp, repeated(0xaa, 40), 0x2010));
  const Frame last = ethernet(client, type_ipv4 + ipv4(client, udp, repeated(0xbb, 2), 0x0020));
  EXPECT_EQ(flow_of(first).hash, flow_of(later).hash);
  EXPECT_EQ(flow_of(first).hash, flow_of(last).hash);
}

TEST(FlowHashOf, ATunnelIsThatOfWhatIsInIt) {
  EXPECT_EQ(flow_of(kinds()[5].frame(client)).hash, flow_of(plain.frame(client)).hash);
  EXPECT_EQ(flow_of(kinds()[8].frame(client)).hash, flow_of(plain.frame(client)).hash);
}

TEST(FlowHashOf, ManyFlowsIsSpreadEvenly) {
  constexpr int pipes = 4;
  std::array<int, pipes> packets{};
  for (unsigned source = 0; source != 100; ++source) {
    for (unsigned port = 0; port != 100; ++port) {
      const auto hash = flow_of(plain.frame({source, 200, 1024 + port, 80})).hash;
      ++packets[std::uint64_t{hash} * pipes >> 32];
    }
  }
  for (const int share : packets) EXPECT_NEAR(share, 2500, 250);  // five standard deviations
}

}  // namespace
}  // namespace nmx
