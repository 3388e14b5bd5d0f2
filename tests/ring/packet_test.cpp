// SPDX-License-Identifier: BSD-2-Clause
#include "ring/support.hpp"

namespace netmap::test {
namespace {

Packet oldest(FakePort& port) {
  return *port.rx().packets().begin();
}

TEST(Packet, OfOneFragmentLiesInItsSlot) {
  FakePort port({.rx_slots = 4, .rx_start = 3});
  port.arrivals().arrives({bytes_of("abc")});
  const Packet packet = oldest(port);
  EXPECT_TRUE(packet.is_linear());
  EXPECT_EQ(packet.size(), 3U);
  EXPECT_EQ(packet.fragments().size(), 1U);
  EXPECT_EQ(packet.front().data(), port.arrivals().buffer(port.arrivals().slot(3).buf_idx));
  EXPECT_EQ(packet.position(), Position(3));
  EXPECT_EQ(packet.after(), Position(0));
}

TEST(Packet, OfSeveralFragmentsMayLieAcrossTheEndOfTheRing) {
  FakePort port({.rx_slots = 4, .rx_start = 2});
  port.arrivals().arrives({bytes_of("ab"), {}, bytes_of("cde")});
  const Packet packet = oldest(port);
  EXPECT_FALSE(packet.is_linear());
  EXPECT_EQ(packet.size(), 5U);
  EXPECT_EQ(fragments_of(packet.fragments()),
            (Fragments{{bytes_of("ab"), more}, {{}, more}, {bytes_of("cde"), 0}}));
  EXPECT_EQ(packet.after(), Position(1));
}

TEST(Packet, IsCopiedWholeOrNotAtAll) {
  FakePort port;
  port.arrivals().arrives({bytes_of("ab"), bytes_of("cde")});
  const Packet packet = oldest(port);
  Bytes into(4, std::byte{7});
  EXPECT_EQ(code_of(packet.copy_to(into)), errc::packet_too_large);
  EXPECT_EQ(into, Bytes(4, std::byte{7}));
  into.resize(6, std::byte{7});
  EXPECT_EQ(packet.copy_to(into), 5U);
  EXPECT_EQ(copy_of(std::span(into).first(5)), bytes_of("abcde"));
  EXPECT_EQ(into[5], std::byte{7});
}

TEST(Packet, MayBeChangedInPlace) {
  FakePort port;
  port.arrivals().arrives({bytes_of("abc")});
  oldest(port).front()[1] = std::byte{'!'};
  Bytes into(3);
  EXPECT_EQ(oldest(port).copy_to(into), 3U);
  EXPECT_EQ(into, bytes_of("a!c"));
}

class BrokenPackets : public testing::TestWithParam<std::uint32_t> {
 protected:
  BrokenPackets() {
    port_.arrivals().arrives({bytes_of("ab"), bytes_of("cd"), bytes_of("ef")});
    before_ = stand_of(port_.arrivals());
  }
  void expect_refused() {
    Bytes into(16);
    EXPECT_EQ(code_of(oldest(port_).copy_to(into)), errc::ring_corrupt);
    EXPECT_EQ(code_of(port_.rx().receive(into)), errc::ring_corrupt);
    EXPECT_EQ(stand_of(port_.arrivals()), before_);
  }
  FakePort port_{{.buffer_size = 64}};
  Stand before_;
};

TEST_P(BrokenPackets, WithAFragmentThatNamesNoBufferAreNotCut) {
  for (const std::uint32_t index : {0U, 1U, 18U, 1U << 31, UINT32_MAX}) {
    port_.arrivals().slot(GetParam()).buf_idx = index;
    expect_refused();
  }
}

TEST_P(BrokenPackets, WithAFragmentLongerThanItsBufferAreNotCut) {
  for (const std::uint16_t length : {std::uint16_t{65}, std::uint16_t{UINT16_MAX}}) {
    port_.arrivals().slot(GetParam()).len = length;
    expect_refused();
  }
}

INSTANTIATE_TEST_SUITE_P(EachFragment, BrokenPackets, testing::Values(0U, 1U, 2U));

TEST(Packets, EndWithTheLastWholePacketOfALimit) {
  FakePort port;
  port.arrivals().arrives({bytes_of("a")});
  port.arrivals().arrives({bytes_of("b"), bytes_of("c")});
  const auto count = [&port](std::size_t limit) {
    const auto packets = port.rx().packets(limit);
    return std::distance(packets.begin(), packets.end());
  };
  EXPECT_EQ(count(0), 0);
  EXPECT_EQ(count(1), 1);
  EXPECT_EQ(count(2), 1);
  EXPECT_EQ(count(3), 2);
  EXPECT_EQ(count(SIZE_MAX), 2);
}

TEST(Packets, OfARingOfFragmentsWithoutAnEndAreNone) {
  FakePort port({.rx_slots = 8, .rx_start = 5});
  for (int i = 0; i != 7; ++i) arrive(port.arrivals(), {bytes_of("a"), more});
  EXPECT_TRUE(port.rx().packets().empty());
  EXPECT_EQ(port.rx().slots().size(), 7U);
}

}  // namespace
}  // namespace netmap::test
