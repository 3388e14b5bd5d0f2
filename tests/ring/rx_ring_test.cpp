// SPDX-License-Identifier: BSD-2-Clause
#include "ring/support.hpp"

#include <iterator>

namespace netmap::test {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

static_assert(std::random_access_iterator<RxSlots::iterator>);
static_assert(std::random_access_iterator<TxSlots::iterator>);
static_assert(std::forward_iterator<Packets::iterator>);

/// A ring in which `count` packets wait, each of one slot that holds its number.
void fill(FakePort& port, std::uint32_t count) {
  for (std::uint32_t i = 0; i != count; ++i) {
    arrive(port.arrivals(), {bytes_of(std::to_string(i)), 0});
  }
}

TEST(RxRing, SlotsAreCountedFromTheHeadInBothDirections) {
  FakePort port({.rx_slots = 8, .rx_start = 6});
  fill(port, 5);
  const auto slots = port.rx().slots();
  ASSERT_EQ(slots.size(), 5U);
  EXPECT_EQ(slots.end() - slots.begin(), 5);
  EXPECT_LT(slots.begin(), slots.end());
  for (std::ptrdiff_t i = 0; i != 5; ++i) {
    const auto number = bytes_of(std::to_string(i));
    const auto at = slots.begin() + i;
    EXPECT_EQ(copy_of((*at).bytes()), number);
    EXPECT_EQ(copy_of(slots.begin()[i].bytes()), number);
    EXPECT_EQ(copy_of((slots.end() - (5 - i))[0].bytes()), number);
    EXPECT_EQ(copy_of(slots[static_cast<std::size_t>(i)].bytes()), number);
    EXPECT_EQ(at - slots.begin(), i);
    EXPECT_EQ(std::ranges::prev(std::ranges::next(at)), at);
    EXPECT_EQ((*at).position(), Position(at));
    EXPECT_EQ((*at).after(), Position(at + 1));
  }
}

TEST(RxRing, LookingMovesNothing) {
  FakePort port({.rx_slots = 8, .rx_start = 6});
  fill(port, 5);
  const Stand before = stand_of(port.arrivals());
  for (const Packet packet : port.rx().packets()) (void)packet.size();
  for (const RxSlot slot : port.rx().slots()) (void)slot.bytes();
  EXPECT_EQ(stand_of(port.arrivals()), before);
}

TEST(RxRing, UnfinishedPacketIsNotShownBeforeItsEnd) {
  FakePort port;
  arrive(port.arrivals(), {bytes_of("ab"), more});
  arrive(port.arrivals(), {bytes_of("cd"), more});
  EXPECT_TRUE(port.rx().packets().empty());
  EXPECT_EQ(port.rx().slots().size(), 2U);
  arrive(port.arrivals(), {bytes_of("e"), 0});
  Bytes into(5);
  EXPECT_EQ(port.rx().receive(into), 5U);
  EXPECT_EQ(into, bytes_of("abcde"));
  EXPECT_EQ(code_of(port.rx().receive(into)), errc::ring_empty);
}

TEST(RxRing, PacketThatDoesNotFitStays) {
  FakePort port;
  port.arrivals().arrives({bytes_of("abc"), bytes_of("de")});
  const Stand before = stand_of(port.arrivals());
  Bytes into(4, std::byte{7});
  EXPECT_EQ(code_of(port.rx().receive(into)), errc::packet_too_large);
  EXPECT_EQ(into, Bytes(4, std::byte{7}));
  EXPECT_EQ(stand_of(port.arrivals()), before);
  into.resize(5);
  EXPECT_EQ(port.rx().receive(into), 5U);
  EXPECT_EQ(into, bytes_of("abcde"));
}

TEST(RxRing, PacketOfNoBytesIsAPacket) {
  FakePort port;
  port.arrivals().arrives({{}});
  port.arrivals().arrives({{}, bytes_of("a"), {}});
  EXPECT_EQ(port.rx().receive({}), 0U);
  Bytes into(1);
  EXPECT_EQ(port.rx().receive(into), 1U);
  EXPECT_EQ(into, bytes_of("a"));
}

TEST(RxRing, ForEachReleasesNothingIfItsFunctionThrows) {
  FakePort port;
  fill(port, 3);
  const Stand before = stand_of(port.arrivals());
  int used = 0;
  const auto use = [&used](const Packet&) {
    if (++used == 2) throw std::runtime_error("enough");
  };
  EXPECT_THROW(port.rx().for_each(use), std::runtime_error);
  EXPECT_EQ(stand_of(port.arrivals()), before);
  EXPECT_EQ(port.rx().for_each(use, 0), 0U);
  EXPECT_EQ(port.rx().for_each(use, 2), 2U);
  EXPECT_EQ(port.rx().slots().size(), 1U);
}

TEST(RxRing, ReleaseMovesCurForwardOnly) {
  FakePort port({.rx_slots = 8, .rx_start = 6});
  fill(port, 6);
  ASSERT_TRUE(port.rx().seen(Position(1)));
  EXPECT_EQ(stand_of(port.arrivals()), (Stand{6, 1, 4}));
  ASSERT_TRUE(port.rx().release(Position(0)));
  EXPECT_EQ(stand_of(port.arrivals()), (Stand{0, 1, 4}));
  ASSERT_TRUE(port.rx().release(Position(2)));
  EXPECT_EQ(stand_of(port.arrivals()), (Stand{2, 2, 4}));
  ASSERT_TRUE(port.rx().release(Position(3)));
  EXPECT_EQ(stand_of(port.arrivals()), (Stand{3, 3, 4}));
}

TEST(RxRing, IsReadyForWhatLiesBeyondWhatWasSeen) {
  FakePort port;
  EXPECT_FALSE(port.rx().is_ready());
  fill(port, 2);
  EXPECT_TRUE(port.rx().is_ready());
  ASSERT_TRUE(port.rx().seen(port.rx().slots().end()));
  EXPECT_FALSE(port.rx().is_ready());
  EXPECT_EQ(port.rx().slots().size(), 2U);
  fill(port, 1);
  EXPECT_TRUE(port.rx().is_ready());
}

TEST(RxRing, FlagsAreSetOneByOne) {
  FakePort port;
  auto& flags = port.arrivals().ring().flags;
  port.rx().set_timestamps(true);
  EXPECT_EQ(flags, abi::ring_flags::timestamp);
  port.rx().set_forwarding(true);
  EXPECT_EQ(flags, abi::ring_flags::timestamp | abi::ring_flags::forward);
  port.rx().set_timestamps(false);
  EXPECT_EQ(flags, abi::ring_flags::forward);
  port.rx().set_forwarding(false);
  EXPECT_EQ(flags, 0U);
}

TEST(RxRing, SlotFlagsReachTheOtherSide) {
  FakePort port;
  fill(port, 1);
  RxSlot slot = port.rx().slots().front();
  slot.set_flags(abi::slot_flags::forward);
  EXPECT_EQ(slot.flags(), abi::slot_flags::forward);
  EXPECT_EQ(port.arrivals().slot(0).flags, abi::slot_flags::forward);
}

TEST(RxRing, TimestampIsTheRingsOrTheEpoch) {
  FakePort port;
  const auto shown = [&port](std::int64_t whole, std::int64_t micro) {
    port.arrivals().ring().ts.tv_sec = whole;
    port.arrivals().ring().ts.tv_usec = micro;
    return port.rx().timestamp();
  };
  const system_clock::time_point epoch;
  EXPECT_EQ(shown(0, 0), epoch);
  EXPECT_EQ(shown(1'700'000'000, 999'999), epoch + seconds(1'700'000'000) + microseconds(999'999));
  for (const std::int64_t whole : {std::int64_t{-1}, INT64_MAX, INT64_MIN, INT64_MAX / 1000}) {
    EXPECT_EQ(shown(whole, 0), epoch) << whole;
  }
  for (const std::int64_t micro :
       {std::int64_t{-1}, INT64_MAX, INT64_MIN, std::int64_t{1'000'000}}) {
    EXPECT_EQ(shown(1, micro), epoch) << micro;
  }
}

TEST(RxRing, SaysWhatItIs) {
  FakePort port({.rx_slots = 5, .tx_slots = 9, .buffer_size = 96});
  EXPECT_EQ(port.rx().num_slots(), 5U);
  EXPECT_EQ(port.tx().num_slots(), 9U);
  EXPECT_EQ(port.rx().buffer_size(), 96U);
  EXPECT_EQ(port.rx().index(), 0U);
  EXPECT_FALSE(port.rx().is_host());
  EXPECT_TRUE(port.rx().same_region(port.tx()));
  EXPECT_FALSE(port.rx().same_region(FakePort().tx()));
}

TEST(RxRing, BufferOf64KiBHoldsOneByteLess) {
  FakePort port({.rx_slots = 2, .tx_slots = 2, .buffer_size = 65536});
  EXPECT_EQ(port.tx().buffer_size(), 65535U);
  EXPECT_EQ(port.tx().slots().front().buffer().size(), 65535U);
  EXPECT_TRUE(port.tx().send(content(1, 65535)));
  EXPECT_EQ(code_of(port.tx().send({})), errc::ring_full);
  EXPECT_EQ(port.departures().take().bytes, content(1, 65535));
}

}  // namespace
}  // namespace netmap::test
