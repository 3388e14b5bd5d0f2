// SPDX-License-Identifier: BSD-2-Clause
#include "ring/support.hpp"

namespace netmap::test {
namespace {

TEST(PacketWriter, SendsNothingUntilItCommits) {
  FakePort port({.tx_slots = 8, .tx_start = 6, .buffer_size = 64});
  const Stand before = stand_of(port.departures());
  {
    auto writer = port.tx().writer();
    ASSERT_TRUE(writer.append(content(1, 100)));
    ASSERT_TRUE(writer.next_fragment());
    EXPECT_EQ(stand_of(port.departures()), before);
  }
  EXPECT_EQ(stand_of(port.departures()), before);
  EXPECT_EQ(port.departures().waiting(), 0U);
}

TEST(PacketWriter, LeavesNothingOfADroppedPacketInTheNextOne) {
  FakePort port({.buffer_size = 64});
  ASSERT_TRUE(port.tx().writer().append(content(1, 200)));
  ASSERT_TRUE(port.tx().send(bytes_of("a")));
  const auto [bytes, flags] = port.departures().take();
  EXPECT_EQ(bytes, bytes_of("a"));
  EXPECT_EQ(flags, 0);
  EXPECT_EQ(port.departures().waiting(), 0U);
}

TEST(PacketWriter, WritesPacketsBehindEachOther) {
  FakePort port({.tx_slots = 8, .tx_start = 6});
  auto writer = port.tx().writer();
  for (const char* text : {"a", "b", "c"}) {
    ASSERT_TRUE(writer.append(bytes_of(text)));
    ASSERT_TRUE(writer.next_fragment());
    ASSERT_TRUE(writer.append(bytes_of("!")));
    ASSERT_TRUE(writer.commit());
  }
  for (const char* text : {"a", "b", "c"}) {
    const auto first = port.departures().take();
    EXPECT_EQ(first.bytes, bytes_of(text));
    EXPECT_EQ(first.flags, more);
    const auto second = port.departures().take();
    EXPECT_EQ(second.bytes, bytes_of("!"));
    EXPECT_EQ(second.flags, 0);
  }
}

TEST(PacketWriter, AppendsOverAsManyFragmentsAsItTakes) {
  FakePort port({.buffer_size = 64});
  auto writer = port.tx().writer();
  ASSERT_TRUE(writer.append(content(1, 63)));
  ASSERT_TRUE(writer.append(content(2, 66)));
  ASSERT_TRUE(writer.append({}));
  ASSERT_TRUE(writer.commit());
  Bytes sent;
  for (const std::size_t size : {64U, 64U, 1U}) {
    const Bytes part = port.departures().take().bytes;
    EXPECT_EQ(part.size(), size);
    sent.insert(sent.end(), part.begin(), part.end());
  }
  Bytes all = content(1, 63);
  const Bytes rest = content(2, 66);
  all.insert(all.end(), rest.begin(), rest.end());
  EXPECT_EQ(sent, all);
}

TEST(PacketWriter, CannotGoBeyondItsRoom) {
  FakePort port({.buffer_size = 64});
  auto writer = port.tx().writer();
  ASSERT_TRUE(writer.advance(64));
  EXPECT_TRUE(writer.room().empty());
  EXPECT_EQ(code_of(writer.advance(1)), errc::packet_too_large);
  EXPECT_EQ(code_of(writer.advance(SIZE_MAX)), errc::packet_too_large);
  ASSERT_TRUE(writer.commit());
  EXPECT_EQ(port.departures().take().bytes.size(), 64U);
}

TEST(PacketWriter, EndsAtTheLastFreeSlot) {
  FakePort port({.tx_slots = 4, .buffer_size = 64});
  ASSERT_TRUE(port.tx().send({}));
  auto writer = port.tx().writer();
  ASSERT_TRUE(writer.next_fragment());
  EXPECT_EQ(code_of(writer.next_fragment()), errc::ring_full);
  EXPECT_EQ(code_of(writer.append(content(1, 65))), errc::ring_full);
  ASSERT_TRUE(writer.commit());
  EXPECT_TRUE(writer.room().empty());
  EXPECT_EQ(code_of(writer.append(bytes_of("a"))), errc::ring_full);
  EXPECT_EQ(code_of(writer.next_fragment()), errc::ring_full);
  EXPECT_EQ(code_of(writer.advance(1)), errc::packet_too_large);
  EXPECT_EQ(code_of(writer.commit()), errc::ring_full);
  EXPECT_EQ(port.departures().waiting(), 3U);
}

TEST(PacketWriter, AllowsNoMoreFragmentsThanTheRingHolds) {
  FakePort port({.tx_slots = 3, .buffer_size = 64});
  EXPECT_EQ(code_of(port.tx().writer().append(content(1, 129))), errc::packet_too_large);
  EXPECT_EQ(code_of(port.tx().send(content(1, 129))), errc::packet_too_large);
  EXPECT_TRUE(port.tx().send(content(1, 128)));
}

TEST(PacketWriter, AllowsSixtyFourFragments) {
  FakePort port({.tx_slots = 128, .buffer_size = 64});
  auto writer = port.tx().writer();
  for (int i = 1; i != 64; ++i) ASSERT_TRUE(writer.next_fragment()) << i;
  EXPECT_EQ(code_of(writer.next_fragment()), errc::packet_too_large);
  EXPECT_EQ(port.departures().waiting(), 0U);
  ASSERT_TRUE(writer.commit());
  EXPECT_EQ(port.departures().waiting(), 64U);
  EXPECT_TRUE(writer.next_fragment()) << "the next packet counts from its own beginning";
}

TEST(PacketWriter, KeepsBufferChangedInEveryFragment) {
  FakePort port({.buffer_size = 64});
  for (std::uint32_t i = 0; i != 3; ++i) port.departures().slot(i).flags = 0xffff;
  auto writer = port.tx().writer();
  ASSERT_TRUE(writer.append(content(1, 130)));
  ASSERT_TRUE(writer.commit(abi::slot_flags::report));
  EXPECT_EQ(port.departures().take().flags, changed | more);
  EXPECT_EQ(port.departures().take().flags, changed | more);
  EXPECT_EQ(port.departures().take().flags, changed | abi::slot_flags::report);
}

TEST(PacketWriter, RefusesASlotWithoutABuffer) {
  FakePort port;
  const Stand before = stand_of(port.departures());
  port.departures().slot(1).buf_idx = 1;
  auto writer = port.tx().writer();
  ASSERT_TRUE(writer.next_fragment());
  EXPECT_TRUE(writer.room().empty());
  EXPECT_EQ(code_of(writer.commit()), errc::ring_corrupt);
  EXPECT_EQ(stand_of(port.departures()), before);
}

}  // namespace
}  // namespace netmap::test
