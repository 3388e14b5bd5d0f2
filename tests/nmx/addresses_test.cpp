// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/addresses.hpp"
#include "nmx/frame.hpp"
#include "nmx/packets.hpp"

#include <gmock/gmock.h>

#include <map>
#include <numeric>
#include <set>
#include <span>
#include <vector>

namespace nmx {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::Pair;

constexpr std::uint32_t ip(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

TEST(NmxAddresses, ReadsMacAddresses) {
  EXPECT_EQ(parse_mac("02:00:5e:10:00:fF"), (MacAddress{2, 0, 0x5e, 0x10, 0, 0xff}));
  EXPECT_EQ(parse_mac("2:0:0:0:0:1"), (MacAddress{2, 0, 0, 0, 0, 1}));
  for (const char* bad : {"", "02:00:00:00:00", "02:00:00:00:00:01:02", "02:00:00:00:00:100",
                          "02-00-00-00-00-01", "02:00:00:00:00:0g", " 02:00:00:00:00:01"}) {
    const auto parsed = parse_mac(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_THAT(parsed.error(), HasSubstr(bad));
  }
}

TEST(NmxAddresses, ReadsRangesAsPktGenWritesThem) {
  EXPECT_EQ(parse_range("10.0.0.1"),
            (EndpointRange{{ip(10, 0, 0, 1), 1234}, {ip(10, 0, 0, 1), 1234}}));
  EXPECT_EQ(parse_range("10.0.0.1:7"), (EndpointRange{{ip(10, 0, 0, 1), 7}, {ip(10, 0, 0, 1), 7}}));
  EXPECT_EQ(parse_range("10.0.0.1-10.0.1.0"),
            (EndpointRange{{ip(10, 0, 0, 1), 1234}, {ip(10, 0, 1, 0), 1234}}));
  EXPECT_EQ(parse_range("10.0.0.1:5-10.0.0.9:8"),
            (EndpointRange{{ip(10, 0, 0, 1), 5}, {ip(10, 0, 0, 9), 8}}));
  EXPECT_EQ(parse_range("10.0.0.9:8-10.0.0.1:5"), parse_range("10.0.0.1:5-10.0.0.9:8"));
}

TEST(NmxAddresses, ReadsRangesOfIpv6) {
  const Prefix local{0xfd};
  const auto one = parse_range("fd00::1:2");
  ASSERT_TRUE(one);
  EXPECT_EQ(*one, (EndpointRange{{0x1'0002, 1234}, {0x1'0002, 1234}, local}));
  const EndpointRange many{{1, 5}, {9, 8}, local};
  EXPECT_EQ(parse_range("[fd00::1]:5-[fd00::9]:8"), many);
  EXPECT_EQ(parse_range("[fd00::9]:8-[fd00::1]:5"), many);
  EXPECT_EQ(parse_range("fd00::1-fd00::9"), (EndpointRange{{1, 1234}, {9, 1234}, local}));
  const auto far_apart = parse_range("fd00::1-fd01::1");
  ASSERT_FALSE(far_apart);
  EXPECT_THAT(far_apart.error(), HasSubstr("more than the last 32 bits"));
}

TEST(NmxAddresses, RefusesWhatIsNoRange) {
  for (const char* bad :
       {"", "10.0.0", "10.0.0.256", "10.0.0.1:65536", "10.0.0.1:", "10.0.0.1-",
        "10.0.0.1:1-10.0.0.2:2:3", "10.0.0.-1", "+1.2.3.4", "fd00::1-10.0.0.1", "10.0.0.1-fd00::1",
        "[fd00::1", "[fd00::1]:65536", "[10.0.0.1]", "fd00:::1", "fd00::1-"}) {
    EXPECT_FALSE(parse_range(bad)) << bad;
  }
}

std::vector<Endpoints> walk(Sweep& sweep, int steps) {
  std::vector<Endpoints> seen;
  for (int i = 0; i < steps; ++i, sweep.advance()) seen.push_back(sweep.current());
  return seen;
}

TEST(NmxSweep, TurnsThePortFirstAndThenTheAddress) {
  Sweep sweep(
      {.source = *parse_range("10.0.0.1:1-10.0.0.2:2"), .destination = *parse_range("9.9.9.9")}, 0);
  const Endpoint to{ip(9, 9, 9, 9), 1234};
  const std::uint32_t low = ip(10, 0, 0, 1);
  EXPECT_FALSE(sweep.is_constant());
  EXPECT_THAT(walk(sweep, 5), ElementsAre(Endpoints{{low, 1}, to}, Endpoints{{low, 2}, to},
                                          Endpoints{{low + 1, 1}, to}, Endpoints{{low + 1, 2}, to},
                                          Endpoints{{low, 1}, to}));
}

TEST(NmxSweep, MovesTheDestinationWhenTheSourceIsThroughAndSeesEveryPairOnce) {
  Sweep sweep({.source = *parse_range("10.0.0.1:1-10.0.0.2:3"),
               .destination = *parse_range("10.1.0.1:5-10.1.0.3:6")},
              0);
  constexpr int pairs = 6 * 6;
  std::set<std::vector<std::uint32_t>> seen;
  const auto round = walk(sweep, pairs);
  for (const auto& [from, to] : round) seen.insert({from.address, from.port, to.address, to.port});
  EXPECT_EQ(seen.size(), pairs);
  EXPECT_EQ(round[5].destination, round[0].destination);
  EXPECT_NE(round[6].destination, round[0].destination);
  EXPECT_EQ(sweep.current(), round[0]);
}

TEST(NmxSweep, StandsStillWithoutRanges) {
  Sweep sweep({.source = *parse_range("10.0.0.1"), .destination = *parse_range("10.1.0.1")}, 0);
  EXPECT_TRUE(sweep.is_constant());
  const auto first = sweep.current();
  sweep.advance();
  EXPECT_EQ(sweep.current(), first);
}

TEST(NmxSweep, DrawsOneSideAndSweepsTheOther) {
  Sweep sweep({.source = *parse_range("10.0.0.1"),
               .destination = *parse_range("10.1.0.1:1-10.1.0.1:3"),
               .random_source = true},
              7);
  std::set<std::uint32_t> sources;
  std::vector<int> ports;
  for (const auto& [from, to] : walk(sweep, 6)) {
    sources.insert(from.address);
    ports.push_back(to.port);
  }
  EXPECT_EQ(sources.size(), 6);
  EXPECT_THAT(ports, ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST(NmxRandom, StaysInItsRangeAndReachesBothEnds) {
  Random random(1);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.between(60, 64));
  EXPECT_THAT(seen, ElementsAre(60, 61, 62, 63, 64));
  EXPECT_EQ(random.between(9, 9), 9);
  EXPECT_GE(random.between(1, UINT32_MAX), 1);
}

std::uint32_t word16(std::span<const std::byte> header, std::size_t at) {
  return std::to_integer<std::uint32_t>(header[at]) << 8 |
         std::to_integer<std::uint32_t>(header[at + 1]);
}

TEST(NmxFrame, HeadersSayWhatThePacketIs) {
  HeaderBuilder builder({2, 0, 0, 0, 0, 1}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  builder.set({{ip(10, 0, 0, 1), 1000}, {ip(10, 1, 0, 1), 2000}}, 1500);
  const Header header = builder.plain();
  EXPECT_EQ(header[0], std::byte{0xff});
  EXPECT_EQ(header[6], std::byte{2});
  EXPECT_EQ(word16(header, 12), 0x0800);
  EXPECT_EQ(word16(header, 16), 1500 - 14);
  EXPECT_EQ(word16(header, 26) << 16 | word16(header, 28), ip(10, 0, 0, 1));
  EXPECT_EQ(word16(header, 34), 1000);
  EXPECT_EQ(word16(header, 36), 2000);
  EXPECT_EQ(word16(header, 38), 1500 - 34);
  EXPECT_TRUE(looks_generated(header.data()));
}

TEST(NmxFrame, TheIpChecksumIsRight) {
  HeaderBuilder builder({}, {});
  Random random(3);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t bits = random.next();
    builder.set(
        {{static_cast<std::uint32_t>(bits), 1}, {static_cast<std::uint32_t>(bits >> 32), 2}},
        random.between(60, 65'535));
    std::uint32_t sum = 0;
    for (std::size_t at = 14; at < 34; at += 2) sum += word16(builder.plain(), at);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    ASSERT_EQ(sum, 0xffff);  // RFC 1071: header and checksum sum up to minus zero
  }
}

TEST(NmxFrame, HasATagIfAsked) {
  HeaderBuilder builder({}, {}, {.vlan = 0xa064});
  builder.set({{ip(10, 0, 0, 1), 1000}, {ip(10, 1, 0, 1), 2000}}, 100);
  const auto header = builder.bytes();
  ASSERT_EQ(header.size(), 46);
  EXPECT_EQ(word16(header, 12), 0x8100);
  EXPECT_EQ(word16(header, 14), 0xa064);
  EXPECT_EQ(word16(header, 16), 0x0800);
  EXPECT_EQ(word16(header, 20), 100 - 18);
  EXPECT_EQ(word16(header, 38), 1000);
}

/// Of the UDP packet that IPv6 headers are of whose payload are zeros; RFC 8200, 8.1.
std::uint32_t udp_sum(std::span<const std::byte> header) {
  std::uint32_t sum = word16(header, 58) + 17;
  for (std::size_t at = 22; at < 62; at += 2) sum += word16(header, at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

TEST(NmxFrame, IsOfIpv6IfAskedAndItsChecksumIsRight) {
  HeaderBuilder builder({}, {}, {.source = Prefix{0xfd}, .destination = Prefix{0xfd, 1}});
  Random random(4);
  for (int i = 0; i < 1000; ++i) {
    const auto from = static_cast<std::uint32_t>(random.next());
    const std::uint32_t size = random.between(62, 65'535);
    builder.set({{from, 7}, {9, 2000}}, size);
    const auto header = builder.bytes();
    ASSERT_EQ(header.size(), 62);
    ASSERT_EQ(word16(header, 12), 0x86dd);
    ASSERT_EQ(word16(header, 18), size - 54);
    ASSERT_EQ(word16(header, 34) << 16 | word16(header, 36), from);
    ASSERT_NE(word16(header, 60), 0);
    ASSERT_EQ(udp_sum(header), 0xffff);
  }
}

std::vector<std::byte> next_packet(PacketSource& source, const std::vector<std::size_t>& cuts) {
  std::vector<std::byte> packet(source.next_size(), std::byte{0xee});
  source.begin();
  std::span<std::byte> rest = packet;
  for (const std::size_t cut : cuts) {
    const std::size_t part = std::min(cut, rest.size());
    source.put(rest.first(part));
    rest = rest.subspan(part);
  }
  source.put(rest);
  return packet;
}

TEST(NmxPackets, AreTheSameInAnyNumberOfPieces) {
  for (const bool numbered : {false, true}) {
    const PacketOptions options{.shortest = 60, .longest = 300, .numbered = numbered};
    PacketSource whole(options, 1, 5);
    PacketSource cut(options, 1, 5);
    Random random(9);
    for (int i = 0; i < 200; ++i) {
      std::vector<std::size_t> cuts(random.between(0, 6));
      for (auto& one : cuts) one = random.between(0, 60);
      ASSERT_EQ(next_packet(whole, {}), next_packet(cut, cuts));
    }
  }
}

TEST(NmxPackets, HaveEveryLengthAsked) {
  PacketSource source({.shortest = 60, .longest = 62}, 0, 1);
  std::set<std::size_t> sizes;
  for (int i = 0; i < 200; ++i) sizes.insert(next_packet(source, {}).size());
  EXPECT_THAT(sizes, ElementsAre(60, 61, 62));
}

TEST(NmxPackets, MixLengthsSevenToFourToOne) {
  PacketSource source({.is_mix = true}, 0, 1);
  std::map<std::size_t, int> sizes;
  for (int i = 0; i < 120; ++i) ++sizes[next_packet(source, {}).size()];
  EXPECT_THAT(sizes, ElementsAre(Pair(60, 70), Pair(590, 40), Pair(1514, 10)));
}

TEST(NmxPackets, AreAFrameAsItIs) {
  std::vector<std::byte> frame(100);
  for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = static_cast<std::byte>(i);
  PacketSource source({.shortest = 100, .longest = 100, .frame = frame}, 0, 1);
  EXPECT_THAT(source.repeated(), ElementsAreArray(frame));
  EXPECT_EQ(next_packet(source, {10, 50}), frame);
  EXPECT_EQ(next_packet(source, {}), frame);
}

TEST(NmxPackets, OnlyUnnumberedOnesOfOneLengthAndAddressAreConstant) {
  const auto is_constant = [](const PacketOptions& options) {
    return !PacketSource(options, 0, 0).repeated().empty();
  };
  const EndpointRange two = *parse_range("10.0.0.1-10.0.0.2");
  EXPECT_TRUE(is_constant({}));
  EXPECT_FALSE(is_constant({.numbered = true}));
  EXPECT_FALSE(is_constant({.shortest = 59}));
  EXPECT_FALSE(is_constant({.is_mix = true}));
  EXPECT_FALSE(is_constant({.sweep = {.source = two}}));
  EXPECT_FALSE(is_constant({.sweep = {.random_destination = true}}));
}

TEST(NmxPackets, TakeAsManySlotsAsTheyNeedOrAreAskedTo) {
  EXPECT_EQ(slots_for(60, 1, 2048), 1);
  EXPECT_EQ(slots_for(2048, 1, 2048), 1);
  EXPECT_EQ(slots_for(2049, 1, 2048), 2);
  EXPECT_EQ(slots_for(9000, 1, 2048), 5);
  EXPECT_EQ(slots_for(9000, 7, 2048), 7);
}

}  // namespace
}  // namespace nmx
