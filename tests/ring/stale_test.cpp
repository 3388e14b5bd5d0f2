// SPDX-License-Identifier: BSD-2-Clause
//
// Checked builds catch the use of a view whose slot is no longer owned, and no use before.
#include "ring/support.hpp"

#if NETMAP_CHECKED

namespace netmap::test {
namespace {

/// Three received packets: one slot, one slot, two slots; the ring wraps behind the second.
class StaleViews : public testing::Test {
 protected:
  StaleViews() {
    port_.arrivals().arrives({bytes_of("a")});
    port_.arrivals().arrives({bytes_of("b")});
    port_.arrivals().arrives({bytes_of("c"), bytes_of("d")});
  }
  void release(std::uint32_t count) {
    const auto to = port_.arrivals().after(port_.arrivals().ring().head, count);
    ASSERT_TRUE(port_.rx().release(Position(to)));
  }
  /// Looks at the bytes.
  void use(const RxSlot& slot) { (void)slot.bytes(); }
  void use(const TxSlot& slot) { (void)slot.buffer(); }
  void use(const Packet& packet) { (void)packet.front(); }

  FakePort port_{{.rx_slots = 8, .tx_slots = 8, .rx_start = 6, .tx_start = 6, .extra_buffers = 1}};
};

TEST_F(StaleViews, OfReceivedSlotsAreCaughtFromTheirReleaseOn) {
  const auto slots = port_.rx().slots();
  const std::vector<RxSlot> views{slots[0], slots[1], slots[2], slots[3]};
  for (std::size_t released = 0; released != 5; ++released) {
    for (std::size_t i = 0; i != 4; ++i) {
      if (i < released) {
        EXPECT_THROW(use(views[i]), StaleView) << i << " of " << released;
      } else {
        EXPECT_NO_THROW(use(views[i])) << i << " of " << released;
      }
    }
    if (released != 4) release(1);
  }
}

TEST_F(StaleViews, OfFreeSlotsAreCaughtFromTheirCommitOn) {
  const auto slots = port_.tx().slots();
  const std::vector<TxSlot> views{slots[0], slots[1], slots[2]};
  for (std::size_t committed = 0; committed != 4; ++committed) {
    for (std::size_t i = 0; i != 3; ++i) {
      if (i < committed) {
        EXPECT_THROW(use(views[i]), StaleView) << i << " of " << committed;
      } else {
        EXPECT_NO_THROW(use(views[i])) << i << " of " << committed;
      }
    }
    ASSERT_TRUE(port_.tx().send({}));
  }
}

TEST_F(StaleViews, StayStaleWhenTheirSlotIsOwnedAgain) {
  const RxSlot old = port_.rx().slots().front();
  release(4);
  for (int i = 0; i != 7; ++i) port_.arrivals().arrives({bytes_of("x")});
  EXPECT_THROW(use(old), StaleView);
  EXPECT_EQ(port_.rx().slots().size(), 7U);
  EXPECT_NO_THROW(use(port_.rx().slots().front()));
}

TEST_F(StaleViews, OfPacketsAreCaughtFromTheirReleaseOn) {
  const auto packets = port_.rx().packets();
  const Packet first = *packets.begin();
  const Packet last = *std::ranges::next(packets.begin(), 2);
  release(2);
  Bytes into(8);
  EXPECT_THROW(use(first), StaleView);
  EXPECT_THROW((void)first.size(), StaleView);
  EXPECT_THROW((void)first.copy_to(into), StaleView);
  EXPECT_EQ(last.copy_to(into), 2U);
  release(1);
  EXPECT_THROW((void)last.size(), StaleView);
  EXPECT_THROW((void)last.copy_to(into), StaleView);
}

TEST_F(StaleViews, AreCaughtBeforeTheyChangeAnything) {
  RxSlot received = port_.rx().slots().front();
  TxSlot free = port_.tx().slots().front();
  Buffer buffer = port_.port().take_buffer().value();
  release(1);
  ASSERT_TRUE(port_.tx().send({}));
  const auto before = buffers_in_rings(port_);
  EXPECT_THROW((void)received.swap(buffer), StaleView);
  EXPECT_THROW(received.set_flags(0xffff), StaleView);
  EXPECT_THROW((void)free.swap(buffer), StaleView);
  EXPECT_THROW((void)free.set_length(1), StaleView);
  EXPECT_THROW((void)free.write(bytes_of("x")), StaleView);
  EXPECT_EQ(buffers_in_rings(port_), before);
  EXPECT_EQ(port_.arrivals().slot(6).flags, 0);
  EXPECT_EQ(port_.departures().slot(6).len, 0);
}

TEST_F(StaleViews, CannotBeSwapped) {
  RxSlot received = port_.rx().slots()[0];
  TxSlot free = port_.tx().slots()[0];
  RxSlot good_received = port_.rx().slots()[1];
  TxSlot good_free = port_.tx().slots()[1];
  release(1);
  ASSERT_TRUE(port_.tx().send({}));
  EXPECT_THROW((void)swap(received, good_free), StaleView);
  EXPECT_THROW((void)swap(good_received, free), StaleView);
  EXPECT_TRUE(swap(good_received, good_free));
}

TEST_F(StaleViews, OfAWriterAreCaughtWhenAnotherCommits) {
  auto writer = port_.tx().writer();
  ASSERT_TRUE(writer.append(bytes_of("a")));
  ASSERT_TRUE(port_.tx().send(bytes_of("b")));
  EXPECT_THROW((void)writer.room(), StaleView);
  EXPECT_THROW((void)writer.append(bytes_of("c")), StaleView);
  EXPECT_THROW((void)writer.next_fragment(), StaleView);
  EXPECT_THROW((void)writer.commit(), StaleView);
  EXPECT_EQ(port_.departures().waiting(), 1U);
}

TEST_F(StaleViews, AreCaughtAfterForwarding) {
  const RxSlot received = port_.rx().slots().front();
  const TxSlot free = port_.tx().slots().front();
  ASSERT_EQ(forward(port_.rx(), port_.tx(), 1)->packets, 1U);
  EXPECT_THROW(use(received), StaleView);
  EXPECT_THROW(use(free), StaleView);
}

TEST_F(StaleViews, OfAClosedPortAreCaught) {
  const auto slots = port_.rx().slots();
  const auto free_slots = port_.tx().slots();
  const auto packets = port_.rx().packets();
  const RxSlot slot = slots[3];
  const TxSlot free = free_slots[0];
  const Packet packet = *packets.begin();
  const Packet fragmented = *std::ranges::next(packets.begin(), 2);
  auto next = packets.begin();
  auto writer = port_.tx().writer();
  port_.close();
  EXPECT_THROW(use(slot), StaleView);
  EXPECT_THROW(use(free), StaleView);
  EXPECT_THROW(use(packet), StaleView);
  EXPECT_THROW((void)fragmented.fragments(), StaleView);
  EXPECT_THROW((void)fragmented.after(), StaleView);
  EXPECT_THROW((void)slots[3], StaleView);
  EXPECT_THROW((void)slots.front(), StaleView);
  EXPECT_THROW((void)*free_slots.begin(), StaleView);
  EXPECT_THROW((void)packets.begin(), StaleView);
  EXPECT_THROW((void)*next, StaleView);
  EXPECT_THROW(++next, StaleView);
  EXPECT_THROW((void)writer.room(), StaleView);
  EXPECT_THROW((void)writer.commit(), StaleView);
}

TEST_F(StaleViews, AreNotThoseOfAPortThatWasMoved) {
  const RxSlot slot = port_.rx().slots().front();
  const Port moved = std::move(port_.port());
  EXPECT_NO_THROW(use(slot));
}

TEST_F(StaleViews, AreNotThoseOfARingThatIsReleasedWhileItIsRead) {
  std::size_t packets = 0;
  for (const Packet packet : port_.rx().packets()) {
    EXPECT_NO_THROW(use(packet));
    ASSERT_TRUE(port_.rx().release(packet.after()));
    ++packets;
  }
  EXPECT_EQ(packets, 3U);
}

}  // namespace
}  // namespace netmap::test
#endif
