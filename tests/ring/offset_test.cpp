// SPDX-License-Identifier: BSD-2-Clause
//
// Rings whose slots have data offsets, and what another side can do to these.
#include "ring/support.hpp"

#include <array>
#include <memory>

namespace netmap::test {
namespace {

constexpr std::uint32_t slots = 8;
constexpr std::uint32_t buffer_bytes = 256;

std::unique_ptr<FakePort> make(std::uint64_t mask = UINT64_MAX, bool exclusive = true) {
  const Shape shape{
      .rx_slots = slots, .tx_slots = slots, .buffer_size = buffer_bytes, .extra_buffers = 2};
  return std::make_unique<FakePort>(
      shape,
      [mask](FakeDevice& device) {
        device.tx_ring()->offset_mask = device.rx_ring()->offset_mask = mask;
      },
      exclusive);
}

TEST(Offset, IsTheMaskedPartOfPtr) {
  const auto port = make(0xff);
  port->departures().slot(0).ptr = 0xabcd'0020;
  TxSlot slot = port->tx().slots().front();
  EXPECT_EQ(slot.offset(), 0x20U);
  EXPECT_EQ(slot.buffer().size(), buffer_bytes - 0x20);
  ASSERT_TRUE(slot.set_offset(0x30));
  EXPECT_EQ(port->departures().slot(0).ptr, 0xabcd'0030U) << "the other bits are somebody else's";
  EXPECT_EQ(code_of(slot.set_offset(0x100)), errc::packet_too_large);
}

TEST(Offset, BoundsWhatASlotShows) {
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{255}, std::uint64_t{256},
        std::uint64_t{257}, UINT64_MAX, UINT64_MAX - 255, std::uint64_t{1} << 63}) {
    for (const auto length : std::to_array<std::uint16_t>({0, 1, 2, 255, 256, 257, 65535})) {
      const auto port = make();
      auto& raw = port->arrivals().slot(0);
      raw.ptr = offset;
      raw.len = length;
      port->arrivals().ring().tail = 1;
      const RxSlot slot = port->rx().slots().front();
      const bool fits = offset < buffer_bytes && length <= buffer_bytes - offset;
      EXPECT_EQ(slot.is_sound(), fits) << offset << ' ' << length;
      EXPECT_EQ(slot.bytes().size(), fits ? length : 0) << offset << ' ' << length;
      const Packet packet = *port->rx().packets().begin();
      EXPECT_EQ(packet.front().size(), fits ? length : 0) << offset << ' ' << length;
      for (std::byte& byte : packet.front()) byte = std::byte{1};
    }
  }
}

TEST(Offset, IsReadOnceWhileTheSlotIsOwned) {
  const auto port = make();
  TxSlot slot = port->tx().slots().front();
  ASSERT_TRUE(slot.set_length(buffer_bytes));
  port->departures().slot(0).ptr = 200;
  EXPECT_EQ(slot.buffer().size(), buffer_bytes) << "what was checked is what is used";
  EXPECT_EQ(port->tx().slots().front().buffer().size(), buffer_bytes);
}

TEST(Offset, IsReadAgainWhenTheSlotComesBack) {
  const auto port = make();
  const Bytes packet(10);
  for (std::uint32_t i = 0; i != slots; ++i) {
    port->departures().slot(i).ptr = i;
    EXPECT_EQ(port->tx().slots().front().offset(), i);
    ASSERT_TRUE(port->tx().send(packet));
    (void)port->departures().take();
  }
  port->departures().slot(0).ptr = 77;
  EXPECT_EQ(port->tx().slots().front().offset(), 77U);
}

TEST(Offset, ThatMovesMeanwhileIsNoWayOutOfTheBuffer) {
  const auto port = make(UINT64_MAX, false);  // a ring that others share is read again and again
  Random random(7);
  const Bytes packet(200);
  for (int i = 0; i != 1000; ++i) {
    for (std::uint32_t at = 0; at != slots; ++at) {
      port->departures().slot(at).ptr = random.below(400);
      port->arrivals().slot(at).ptr = random.below(400);
    }
    (void)port->tx().send(packet);
    while (port->departures().waiting() != 0) (void)port->departures().take();
    for (std::byte& byte : port->tx().slots().front().buffer()) byte = std::byte{2};
  }
}

TEST(Offset, GoesWithTheBufferInASwap) {
  const auto port = make();
  port->arrivals().slot(0).ptr = 40;
  port->arrivals().slot(0).len = 100;
  port->arrivals().ring().tail = 1;
  port->departures().slot(0).ptr = 8;
  RxSlot full = port->rx().slots().front();
  TxSlot empty = port->tx().slots().front();
  const std::uint32_t index = full.buffer_index();
  ASSERT_TRUE(swap(full, empty));
  EXPECT_EQ(empty.buffer_index(), index);
  EXPECT_EQ(empty.offset(), 40U);
  EXPECT_EQ(full.offset(), 8U);
  EXPECT_NE(full.flags() & abi::slot_flags::buf_changed, 0);
  EXPECT_EQ(port->departures().slot(0).len, 100);
  EXPECT_EQ(port->departures().slot(0).ptr, 40U);
}

TEST(Offset, OfABrokenSlotIsNotSwapped) {
  const auto port = make();
  port->arrivals().slot(0).ptr = 200;
  port->arrivals().slot(0).len = 100;
  port->arrivals().ring().tail = 1;
  RxSlot full = port->rx().slots().front();
  TxSlot empty = port->tx().slots().front();
  EXPECT_EQ(code_of(swap(full, empty)), errc::ring_corrupt);
  EXPECT_EQ(code_of(forward(port->rx(), port->tx())), errc::ring_corrupt);
}

TEST(Offset, OfOneRingMakesForwardingCopyOnlyIfASlotHasIt) {
  const Shape shape{.rx_slots = slots, .tx_slots = slots, .buffer_size = buffer_bytes};
  for (const bool is_received : {true, false}) {
    FakePort port(
        shape,
        [is_received](FakeDevice& device) {
          (is_received ? device.rx_ring() : device.tx_ring())->offset_mask = UINT64_MAX;
        },
        true);
    auto& in = port.arrivals();
    auto& out = port.departures();
    in.slot_arrives(Bytes(100, std::byte{1}));
    const std::uint32_t index = in.slot(0).buf_idx;
    EXPECT_TRUE(must(forward(port.rx(), port.tx())).zero_copy);
    EXPECT_EQ(out.slot(0).buf_idx, index);
    if (is_received) {
      in.slot(1).ptr = 8;
    } else {
      must(port.tx().slots().front().set_offset(8));
    }
    in.slot_arrives(Bytes(100, std::byte{2}));
    EXPECT_FALSE(must(forward(port.rx(), port.tx())).zero_copy);
    EXPECT_EQ(out.slot(1).len, 100);
    EXPECT_EQ(out.slot(1).ptr, is_received ? 0U : 8U);
  }
}

}  // namespace
}  // namespace netmap::test
