// SPDX-License-Identifier: BSD-2-Clause
#include "ring/support.hpp"

#include <optional>

namespace netmap::test {
namespace {

void fill(const Buffer& buffer, const Bytes& bytes) {
  std::ranges::copy(bytes, buffer.bytes().begin());
}
Bytes first(const Buffer& buffer, std::size_t count) {
  return copy_of(buffer.bytes().first(count));
}

/// 3 extra buffers, whose indices follow those of the rings.
class Buffers : public testing::Test {
 protected:
  static constexpr std::uint32_t first_extra = abi::buffer_index::first_usable + 4 + 4;

  [[nodiscard]] Buffer take() { return port_->port().take_buffer().value(); }
  [[nodiscard]] std::size_t left() { return port_->port().extra_buffers(); }
  [[nodiscard]] std::vector<std::uint32_t> freed() {
    port_->close();
    auto all = port_->hooks().freed;
    std::ranges::sort(all);
    return all;
  }

  std::optional<FakePort> port_{std::in_place,
                                Shape{.rx_slots = 4, .tx_slots = 4, .extra_buffers = 3}};
};

TEST_F(Buffers, AreTakenOnceEach) {
  std::set<std::uint32_t> indices;
  std::vector<Buffer> taken;
  for (std::size_t remaining = 3; remaining != 0; --remaining) {
    EXPECT_EQ(left(), remaining);
    taken.push_back(take());
    EXPECT_EQ(taken.back().bytes().size(), 256U);
    indices.insert(index_of(*port_, taken.back().bytes()));
  }
  EXPECT_EQ(indices, (std::set{first_extra, first_extra + 1, first_extra + 2}));
  EXPECT_EQ(left(), 0U);
  EXPECT_EQ(code_of(port_->port().take_buffer()), errc::ring_empty);
}

TEST_F(Buffers, GoBackWhenTheyAreDestroyed) {
  for (int i = 0; i != 10; ++i) {
    const std::vector<Buffer> taken = [this] {
      std::vector<Buffer> all;
      while (left() != 0) all.push_back(take());
      return all;
    }();
    EXPECT_EQ(taken.size(), 3U);
  }
  EXPECT_EQ(left(), 3U);
}

TEST_F(Buffers, HaveOneOwnerWhenTheyAreMoved) {
  Buffer one = take();
  const auto* data = one.bytes().data();
  Buffer other = std::move(one);
  EXPECT_EQ(other.bytes().data(), data);
  EXPECT_TRUE(one.bytes().empty());  // NOLINT: what a moved-from buffer has is the question
  EXPECT_EQ(left(), 2U);
  other = take();
  EXPECT_EQ(other.bytes().size(), 256U);
  EXPECT_NE(other.bytes().data(), data);
}

TEST_F(Buffers, SwappedIntoAReceivedSlotKeepItsPacket) {
  arrive(port_->arrivals(), {bytes_of("abc"), 0});
  const std::uint32_t index = port_->arrivals().slot(0).buf_idx;
  Buffer kept = take();
  const std::uint32_t given = index_of(*port_, kept.bytes());
  RxSlot slot = port_->rx().slots().front();
  ASSERT_TRUE(slot.swap(kept));
  EXPECT_EQ(first(kept, 3), bytes_of("abc"));
  EXPECT_EQ(index_of(*port_, kept.bytes()), index);
  EXPECT_EQ(slot.buffer_index(), given);
  EXPECT_EQ(slot.bytes().data(), port_->arrivals().buffer(given));
  EXPECT_EQ(port_->arrivals().slot(0).buf_idx, given);
  EXPECT_EQ(port_->arrivals().slot(0).flags, changed);
}

TEST_F(Buffers, SwappedIntoAFreeSlotAreSent) {
  Buffer prepared = take();
  fill(prepared, bytes_of("abc"));
  TxSlot slot = port_->tx().slots().front();
  ASSERT_TRUE(slot.swap(prepared));
  ASSERT_TRUE(slot.set_length(3));
  ASSERT_TRUE(port_->tx().commit(slot.after()));
  const auto [bytes, flags] = port_->departures().take();
  EXPECT_EQ(bytes, bytes_of("abc"));
  EXPECT_EQ(flags, changed);
}

TEST_F(Buffers, AreConservedBySwaps) {
  Random random(1);
  std::vector<Buffer> held;
  held.push_back(take());
  held.push_back(take());
  for (int i = 0; i != 500; ++i) {
    if (port_->arrivals().room() != 0) arrive(port_->arrivals(), {content(1, 8), 0});
    Buffer& buffer = held[random.below(2)];
    RxSlot received = port_->rx().slots().front();
    TxSlot free = port_->tx().slots()[random.below(3)];
    const auto maybe = [&random](const auto& change) { return !random.one_in(2) || change(); };
    ASSERT_TRUE(maybe([&] { return received.swap(buffer).has_value(); }));
    ASSERT_TRUE(maybe([&] { return free.swap(buffer).has_value(); }));
    ASSERT_TRUE(maybe([&] { return swap(received, free).has_value(); }));
    ASSERT_TRUE(maybe([&] { return port_->rx().release(received.after()).has_value(); }));
    if (random.one_in(8)) std::swap(held[0], held[1]);
    auto all = buffers_in_rings(*port_);
    for (const Buffer& one : held) all.push_back(index_of(*port_, one.bytes()));
    expect_each_buffer_once(*port_, all);
  }
}

TEST_F(Buffers, OfAnotherRegionAreRefused) {
  FakePort other({.extra_buffers = 1});
  Buffer foreign = other.port().take_buffer().value();
  arrive(port_->arrivals(), {bytes_of("abc"), 0});
  RxSlot slot = port_->rx().slots().front();
  EXPECT_EQ(code_of(slot.swap(foreign)), errc::not_supported);
  EXPECT_EQ(slot.bytes().size(), 3U);
  EXPECT_EQ(port_->arrivals().slot(0).flags, 0);
  Buffer moved = std::move(foreign);
  EXPECT_EQ(code_of(slot.swap(foreign)), errc::not_supported);  // NOLINT: moved from
}

TEST_F(Buffers, AreNotLostToASlotThatNamesNone) {
  Buffer buffer = take();
  const auto* data = buffer.bytes().data();
  for (const std::uint32_t index : {0U, 1U, first_extra + 3, UINT32_MAX}) {
    port_->departures().slot(0).buf_idx = index;
    TxSlot slot = port_->tx().slots().front();
    EXPECT_EQ(code_of(slot.swap(buffer)), errc::ring_corrupt);
    EXPECT_EQ(buffer.bytes().data(), data);
    EXPECT_EQ(port_->departures().slot(0).buf_idx, index);
  }
}

TEST_F(Buffers, AreFreedOnceEachWhoeverHoldsThem) {
  const Buffer held = take();
  arrive(port_->arrivals(), {bytes_of("abc"), 0});
  const std::uint32_t index = port_->arrivals().slot(0).buf_idx;
  Buffer kept = take();
  const std::uint32_t given = index_of(*port_, kept.bytes());
  ASSERT_TRUE(port_->rx().slots().front().swap(kept));
  std::vector expected{index, first_extra, first_extra + 1, first_extra + 2};
  std::erase(expected, given);
  EXPECT_EQ(freed(), expected);
  EXPECT_TRUE(kept.bytes().empty());
  EXPECT_TRUE(held.bytes().empty());
}

TEST_F(Buffers, OfWhichASlotNamedOneTwiceAreFreedOnceEach) {
  Buffer kept = take();
  arrive(port_->arrivals(), {bytes_of("abc"), 0});
  port_->arrivals().slot(0).buf_idx = first_extra + 2;
  ASSERT_TRUE(port_->rx().slots().front().swap(kept));
  EXPECT_EQ(freed(), (std::vector{first_extra + 1, first_extra + 2}));
}

TEST_F(Buffers, OutliveTheirPortEmpty) {
  Buffer buffer = take();
  port_.reset();
  EXPECT_TRUE(buffer.bytes().empty());
  FakePort other;
  EXPECT_EQ(code_of(other.tx().slots().front().swap(buffer)), errc::not_supported);
}

TEST_F(Buffers, FollowAPortThatIsMoved) {
  const Buffer buffer = take();
  Port moved = std::move(port_->port());
  EXPECT_EQ(buffer.bytes().size(), 256U);
  EXPECT_EQ(moved.extra_buffers(), 2U);
  EXPECT_EQ(port_->port().extra_buffers(), 0U);
  EXPECT_EQ(code_of(port_->port().take_buffer()), errc::ring_empty);
}

// ---- A list of extra buffers that the other side broke ------------------------------------------

/// How many extra buffers are found in a list that `damage` has been at; each must be another.
std::size_t found_in(const FakePort::Prepare& damage) {
  FakePort port({.rx_slots = 4, .tx_slots = 4, .extra_buffers = 3}, damage);
  std::set<std::uint32_t> indices;
  std::vector<Buffer> taken;
  while (port.port().extra_buffers() != 0) {
    taken.push_back(port.port().take_buffer().value());
    indices.insert(index_of(port, taken.back().bytes()));
  }
  EXPECT_EQ(indices.size(), taken.size());
  port.close();
  EXPECT_EQ(port.hooks().freed.size(), taken.size());
  return taken.size();
}

TEST(ExtraBuffers, AreFoundInASoundList) {
  EXPECT_EQ(found_in([](FakeDevice&) {}), 3U);
}

TEST(ExtraBuffers, AreFoundUpToALoop) {
  EXPECT_EQ(found_in([](FakeDevice& device) { device.link(12, 10); }), 3U);
  EXPECT_EQ(found_in([](FakeDevice& device) { device.link(11, 10); }), 2U);
  EXPECT_EQ(found_in([](FakeDevice& device) { device.link(10, 10); }), 1U);
}

TEST(ExtraBuffers, AreFoundUpToAnIndexThatIsNone) {
  for (const std::uint32_t index : {0U, 1U, 13U, 1U << 31, UINT32_MAX}) {
    EXPECT_EQ(found_in([index](FakeDevice& device) { device.link(11, index); }), 2U) << index;
    EXPECT_EQ(found_in([index](FakeDevice& device) { device.interface()->ni_bufs_head = index; }),
              0U)
        << index;
  }
}

}  // namespace
}  // namespace netmap::test
