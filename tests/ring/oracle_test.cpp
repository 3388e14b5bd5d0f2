// SPDX-License-Identifier: BSD-2-Clause
//
// A checker that finds nothing wrong is worth nothing before it has found something wrong. Each
// fault is made by the other side, in the ring itself.
#include "ring/support.hpp"

namespace netmap::test {
namespace {

Fragment numbered(std::uint64_t number) {
  return {content(number, 32), 0};
}

/// A ring from which the first of five packets was taken; four wait.
class Oracles : public testing::Test {
 protected:
  Oracles() {
    for (std::uint64_t i = 0; i != 5; ++i) {
      arrive(side(), numbered(i));
      oracle_.sent(numbered(i));
    }
    const Fragment first = fragment_of(port_.rx().slots().front());
    EXPECT_EQ(oracle_.take(std::span(&first, 1), 1), Fault::none);
    EXPECT_TRUE(port_.rx().release(Position(side().after(side().ring().head))));
  }

  [[nodiscard]] Arrivals& side() { return port_.arrivals(); }
  /// The n-th of the packets that wait.
  [[nodiscard]] abi::netmap_slot& waiting(std::uint32_t n) {
    return side().slot(side().after(side().ring().head, n));
  }
  void lose_first() {
    const auto next = side().after(side().ring().head);
    put(side(), {next, next, side().ring().tail});
  }
  void lose_last() {
    side().ring().tail = side().after(side().ring().tail, side().num_slots() - 1);
  }
  [[nodiscard]] Fault verdict() {
    return oracle_.check(fragments_of(port_.rx().slots()), oracle_.waiting().size());
  }

 private:
  FakePort port_{{.rx_slots = 8, .rx_start = 5}};
  Oracle oracle_;
};

TEST_F(Oracles, FindNothingWrongWithARingThatWorks) {
  EXPECT_EQ(verdict(), Fault::none);
}

TEST_F(Oracles, NoticeThatTheFirstPacketIsLost) {
  lose_first();
  EXPECT_EQ(verdict(), Fault::lost);
}

TEST_F(Oracles, NoticeThatTheLastPacketIsLost) {
  lose_last();
  EXPECT_EQ(verdict(), Fault::lost);
}

TEST_F(Oracles, NoticeThatAPacketInTheMiddleIsLost) {
  std::swap(waiting(1), waiting(2));
  std::swap(waiting(2), waiting(3));
  lose_last();
  EXPECT_EQ(verdict(), Fault::lost);
}

TEST_F(Oracles, NoticeADoubledPacket) {
  waiting(2) = waiting(1);
  EXPECT_EQ(verdict(), Fault::doubled);
}

TEST_F(Oracles, NoticeAPacketThatComesAgainAfterItWasReleased) {
  const auto before = side().after(side().ring().head, side().num_slots() - 1);
  put(side(), {before, before, side().ring().tail});
  EXPECT_EQ(verdict(), Fault::doubled);
}

TEST_F(Oracles, NoticeSwappedPackets) {
  std::swap(waiting(0), waiting(2));
  EXPECT_EQ(verdict(), Fault::reordered);
}

TEST_F(Oracles, NoticeADamagedByte) {
  *side().buffer(waiting(1).buf_idx) ^= std::byte{1};
  EXPECT_EQ(verdict(), Fault::damaged);
}

TEST_F(Oracles, NoticeADamagedLength) {
  --waiting(3).len;
  EXPECT_EQ(verdict(), Fault::damaged);
}

TEST_F(Oracles, NoticeDamagedFlags) {
  waiting(0).flags ^= abi::slot_flags::more_fragments;
  EXPECT_EQ(verdict(), Fault::damaged);
}

TEST(Oracle, NoticesAFragmentBeforeItsTime) {
  Oracle oracle;
  oracle.sent({numbered(0), numbered(1)});
  EXPECT_EQ(oracle.check(Fragments{numbered(0), numbered(1)}, 1), Fault::premature);
}

TEST(Oracle, CountsWholePacketsOnly) {
  Oracle oracle;
  oracle.sent({{{}, 0}, {{}, more}, {{}, more}, {{}, 0}, {{}, more}});
  EXPECT_EQ(oracle.whole_packets(), (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(oracle.whole_packets(4), (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(oracle.whole_packets(3), (std::vector<std::size_t>{1}));
  EXPECT_TRUE(oracle.whole_packets(0).empty());
}

TEST(Content, DiffersByNumberAndByte) {
  EXPECT_NE(content(1, 8), content(2, 8));
  EXPECT_NE(content(1, 1), content(2, 1));
  const Bytes long_one = content(3, 64);
  EXPECT_NE(Bytes(long_one.begin(), long_one.begin() + 8),
            Bytes(long_one.begin() + 8, long_one.begin() + 16));
}

}  // namespace
}  // namespace netmap::test
