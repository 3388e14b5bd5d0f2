// SPDX-License-Identifier: BSD-2-Clause
#include "ring/support.hpp"

namespace netmap::test {
namespace {

TEST(TxRing, SpillsALargePacketIntoFragments) {
  FakePort port({.tx_slots = 8, .tx_start = 6, .buffer_size = 64});
  const Bytes packet = content(1, 150);
  ASSERT_TRUE(port.tx().send(packet));
  Bytes taken;
  for (const bool is_followed : {true, true, false}) {
    const auto [bytes, flags] = port.departures().take();
    EXPECT_EQ(flags, is_followed ? abi::slot_flags::more_fragments : 0);
    taken.insert(taken.end(), bytes.begin(), bytes.end());
  }
  EXPECT_EQ(taken, packet);
  EXPECT_EQ(port.departures().waiting(), 0U);
}

TEST(TxRing, FullRingTakesNothing) {
  FakePort port({.tx_slots = 3});
  ASSERT_TRUE(port.tx().send(bytes_of("a")));
  ASSERT_TRUE(port.tx().send(bytes_of("b")));
  const Stand before = stand_of(port.departures());
  EXPECT_EQ(code_of(port.tx().send(bytes_of("c"))), errc::ring_full);
  EXPECT_EQ(stand_of(port.departures()), before);
  EXPECT_FALSE(port.tx().is_ready());
  EXPECT_EQ(port.departures().take().bytes, bytes_of("a"));
  ASSERT_TRUE(port.tx().send(bytes_of("c")));
  EXPECT_EQ(port.departures().take().bytes, bytes_of("b"));
  EXPECT_EQ(port.departures().take().bytes, bytes_of("c"));
}

TEST(TxRing, PacketThatFindsTooFewSlotsLeavesNoHalf) {
  FakePort port({.tx_slots = 4, .buffer_size = 64});
  ASSERT_TRUE(port.tx().send(bytes_of("a")));
  const Stand before = stand_of(port.departures());
  EXPECT_EQ(code_of(port.tx().send(content(1, 129))), errc::ring_full);
  EXPECT_EQ(stand_of(port.departures()), before);
  ASSERT_TRUE(port.tx().send(content(2, 128)));
  EXPECT_EQ(port.departures().waiting(), 3U);
}

TEST(TxRing, SixtyFourFragmentsAreAPacketAndOneMoreIsTooLarge) {
  constexpr std::size_t most = 64 * std::size_t{64};
  FakePort port({.tx_slots = 128, .buffer_size = 64});
  const Stand before = stand_of(port.departures());
  EXPECT_EQ(code_of(port.tx().send(content(1, most + 1))), errc::packet_too_large);
  EXPECT_EQ(stand_of(port.departures()), before);
  ASSERT_TRUE(port.tx().send(content(1, most)));
  EXPECT_EQ(port.departures().waiting(), 64U);
}

TEST(TxRing, WritingASlotClearsFlagsOfEarlierUseButNotWhetherItsBufferChanged) {
  FakePort port;
  auto& slot = port.departures().slot(0);
  slot.flags = 0xffff;
  ASSERT_TRUE(port.tx().slots().front().set_length(1));
  EXPECT_EQ(slot.flags, abi::slot_flags::buf_changed);
  ASSERT_TRUE(port.tx().slots().front().set_length(1, abi::slot_flags::report));
  EXPECT_EQ(slot.flags, abi::slot_flags::buf_changed | abi::slot_flags::report);
  slot.flags = 0xffff & ~abi::slot_flags::buf_changed;
  ASSERT_TRUE(port.tx().send({}));
  EXPECT_EQ(slot.flags, 0);
}

TEST(TxRing, SlotTakesNoMoreThanItsBuffer) {
  FakePort port({.buffer_size = 64});
  TxSlot slot = port.tx().slots().front();
  auto& raw = port.departures().slot(0);
  EXPECT_EQ(slot.buffer().size(), 64U);
  ASSERT_TRUE(slot.write(content(1, 64), abi::slot_flags::report));
  const Bytes before = copy_of(slot.buffer());
  EXPECT_EQ(code_of(slot.write(content(2, 65))), errc::packet_too_large);
  EXPECT_EQ(code_of(slot.set_length(65)), errc::packet_too_large);
  EXPECT_EQ(code_of(slot.set_length(65536 + 1)), errc::packet_too_large);
  EXPECT_EQ(raw.len, 64);
  EXPECT_EQ(slot.flags(), abi::slot_flags::report);
  EXPECT_EQ(copy_of(slot.buffer()), before);
}

TEST(TxRing, PacketOfNoBytesIsAPacket) {
  FakePort port;
  ASSERT_TRUE(port.tx().send({}));
  ASSERT_EQ(port.departures().waiting(), 1U);
  EXPECT_TRUE(port.departures().take().bytes.empty());
}

TEST(TxRing, CountsWhatTheOtherSideHasNotTaken) {
  FakePort port({.tx_slots = 4, .tx_start = 3});
  for (std::uint32_t sent = 0; sent != 3; ++sent) {
    EXPECT_EQ(port.tx().pending(), sent);
    ASSERT_TRUE(port.tx().send({}));
  }
  EXPECT_EQ(port.tx().pending(), 3U);
  (void)port.departures().take();
  EXPECT_EQ(port.tx().pending(), 2U);
}

TEST(TxRing, WantHoldsUntilTheNextCommit) {
  FakePort port({.tx_slots = 8, .tx_start = 6});
  EXPECT_TRUE(port.tx().is_ready());
  for (int i = 0; i != 5; ++i) ASSERT_TRUE(port.tx().send({}));
  ASSERT_TRUE(port.tx().want(4));
  EXPECT_FALSE(port.tx().is_ready());
  EXPECT_EQ(code_of(port.tx().commit(Position(8))), errc::position_out_of_range);
  EXPECT_FALSE(port.tx().is_ready()) << "a commit that was refused is none";
  (void)port.departures().take();
  EXPECT_FALSE(port.tx().is_ready());
  (void)port.departures().take();
  EXPECT_TRUE(port.tx().is_ready());
  for (int i = 0; i != 3; ++i) ASSERT_TRUE(port.tx().send({}));
  EXPECT_TRUE(port.tx().is_ready());
}

TEST(TxRing, WantIsRefusedForMoreSlotsThanTheRingCanHaveFree) {
  FakePort port({.tx_slots = 4});
  const Stand before = stand_of(port.departures());
  for (const std::uint32_t slots : {0U, 4U, 5U, 1U << 31, UINT32_MAX}) {
    EXPECT_EQ(code_of(port.tx().want(slots)), errc::ring_full) << slots;
    EXPECT_EQ(stand_of(port.departures()), before);
  }
  EXPECT_TRUE(port.tx().want(3));
}

}  // namespace
}  // namespace netmap::test
