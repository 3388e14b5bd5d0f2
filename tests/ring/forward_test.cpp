// SPDX-License-Identifier: BSD-2-Clause
#include "ring/support.hpp"

#include <optional>

namespace netmap::test {
namespace {

Fragments taken(Departures& departures, std::uint32_t count) {
  Fragments all;
  for (; count != 0; --count) {
    auto [bytes, flags] = departures.take();
    all.push_back({std::move(bytes), flags});
  }
  return all;
}

// ---- Random moves -------------------------------------------------------------------------------

enum class Regions { one, two };

/// Packets arrive at one port and leave at another, or at the same one.
class Forwarding {
 public:
  Forwarding(const Start& rx, const Start& tx, Regions regions)
      : regions_(regions), random_(rx.slots * 2048 + tx.slots) {
    const Shape shape{.rx_slots = rx.slots,
                      .tx_slots = tx.slots,
                      .rx_start = rx.head,
                      .tx_start = tx.head,
                      .buffer_size = 64,
                      .extra_buffers = 2};
    in_.emplace(shape);
    if (regions == Regions::two) {
      out_.emplace(Shape{.tx_slots = tx.slots, .tx_start = tx.head, .buffer_size = 48});
    }
    max_fragments_ = std::min({rx.slots - 1, tx.slots - 1, 4U});
    if (regions == Regions::two) max_fragments_ = std::max(1U, max_fragments_ / 2);
  }

  void run(std::size_t steps) {
    for (std::size_t step = 0; step != steps && !testing::Test::HasFailure(); ++step) {
      move();
      if (in().arrivals().num_slots() <= 64 || step % 64 == 0) check_buffers();
    }
    EXPECT_GE(oracle_.passed(), steps / 20) << "it hardly went on";
    EXPECT_GT(packets_, 0U);
  }

 private:
  [[nodiscard]] FakePort& in() { return *in_; }
  [[nodiscard]] FakePort& out() { return out_ ? *out_ : *in_; }

  void move() {
    switch (random_.below(5)) {
      case 0:
      case 1: return arrive_some();
      case 2: return others_take();
      default: return forward_some();
    }
  }

  void arrive_some() {
    for (auto count = random_.below(in().arrivals().room() + 1); count != 0; --count) {
      if (fragments_left_ == 0) fragments_left_ = 1 + random_.below(max_fragments_);
      std::uint16_t flags = random_.one_in(4) ? abi::slot_flags::forward : std::uint16_t{0};
      if (--fragments_left_ != 0) flags |= more;
      const std::size_t most = regions_ == Regions::one || max_fragments_ > 1 ? 64 : 48;
      const Fragment fragment{content(next_++, random_.below(most + 1)), flags};
      arrive(in().arrivals(), fragment);
      waiting_.push_back(fragment);
    }
  }

  /// What `fragments`, one packet, must leave as.
  [[nodiscard]] Fragments outgoing(const Fragments& fragments) const {
    Fragments leaving;
    for (const Fragment& fragment : fragments) {
      const int kept = fragment.flags & more;
      leaving.push_back({fragment.bytes, static_cast<std::uint16_t>(kept | changed)});
    }
    if (regions_ == Regions::one) return leaving;
    Bytes bytes;
    for (const Fragment& fragment : fragments) {
      bytes.insert(bytes.end(), fragment.bytes.begin(), fragment.bytes.end());
    }
    leaving.clear();
    std::span<const std::byte> rest(bytes);
    do {
      const auto part = rest.first(std::min<std::size_t>(48, rest.size()));
      rest = rest.subspan(part.size());
      leaving.push_back({copy_of(part), rest.empty() ? std::uint16_t{0} : more});
    } while (!rest.empty());
    return leaving;
  }

  void forward_some() {
    const std::size_t limit = random_.one_in(2) ? SIZE_MAX : random_.below(4);
    std::size_t room = out().tx().slots().size();
    Forwarded expected{.zero_copy = regions_ == Regions::one};
    while (expected.packets != limit) {
      const auto end = std::ranges::find_if(waiting_, [](auto& each) { return !each.more(); });
      if (end == waiting_.end()) break;
      const Fragments packet(waiting_.begin(), end + 1);
      const Fragments leaving = outgoing(packet);
      if (leaving.size() > room) break;
      room -= leaving.size();
      ++expected.packets;
      for (const Fragment& fragment : packet) expected.bytes += fragment.bytes.size();
      oracle_.sent(leaving);
      waiting_.erase(waiting_.begin(), end + 1);
    }
    const auto done = forward(in().rx(), out().tx(), limit);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(done->packets, expected.packets);
    EXPECT_EQ(done->bytes, expected.bytes);
    EXPECT_EQ(done->zero_copy, expected.zero_copy);
    EXPECT_EQ(in().rx().slots().size(), waiting_.size());
    EXPECT_EQ(out().tx().slots().size(), room);
    packets_ += expected.packets;
  }

  void others_take() {
    const std::uint32_t count = random_.below(out().departures().waiting() + 1);
    EXPECT_EQ(oracle_.take(taken(out().departures(), count), count), Fault::none);
  }

  void check_buffers() {
    expect_each_buffer_once(in(), buffers_in_rings(in()));
    if (out_) expect_each_buffer_once(out(), buffers_in_rings(out()));
  }

  Regions regions_;
  Random random_;
  std::optional<FakePort> in_;
  std::optional<FakePort> out_;
  std::uint32_t max_fragments_;
  std::deque<Fragment> waiting_;
  Oracle oracle_;
  std::size_t packets_ = 0;
  std::uint64_t next_ = 0;
  std::uint32_t fragments_left_ = 0;
};

void forward_between_all(Regions regions) {
  const auto all = starts();
  for (std::size_t i = 0; i != all.size(); ++i) {
    const Start& rx = all[i];
    for (const Start& tx : {all[i], all[(i * 5 + 7) % all.size()]}) {
      SCOPED_TRACE(testing::Message() << rx << " to " << tx);
      Forwarding(rx, tx, regions).run(500);
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(Forward, KeepsOrderContentAndBuffersInsideARegion) {
  forward_between_all(Regions::one);
}

TEST(Forward, KeepsOrderContentAndBuffersBetweenRegions) {
  forward_between_all(Regions::two);
}

// ---- One by one ---------------------------------------------------------------------------------

TEST(Forward, InsideARegionMovesNoByte) {
  FakePort port({.rx_start = 7, .tx_start = 6});
  arrive(port.arrivals(), {bytes_of("ab"), abi::slot_flags::forward | more});
  arrive(port.arrivals(), {bytes_of("c"), 0});
  auto* const slots = abi::slots_of(port.arrivals().ring());
  auto* const sent = abi::slots_of(port.departures().ring());
  const std::uint32_t full = slots[7].buf_idx;
  const std::uint32_t empty = sent[6].buf_idx;
  const auto usable = port.buffers().subspan(std::size_t{2} * port.rx().buffer_size());
  const Bytes before = copy_of(usable);
  const auto done = forward(port.rx(), port.tx());
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->zero_copy);
  EXPECT_EQ(copy_of(usable), before);
  EXPECT_EQ(slots[7].buf_idx, empty);
  EXPECT_EQ(sent[6].buf_idx, full);
  EXPECT_NE(slots[7].flags & changed, 0);
  EXPECT_NE(slots[0].flags & changed, 0);
  EXPECT_EQ(taken(port.departures(), 2),
            (Fragments{{bytes_of("ab"), more | changed}, {bytes_of("c"), changed}}));
}

TEST(Forward, LeavesAnUnfinishedPacketWhereItIs) {
  FakePort port;
  arrive(port.arrivals(), {bytes_of("a"), 0});
  arrive(port.arrivals(), {bytes_of("b"), more});
  EXPECT_EQ(forward(port.rx(), port.tx())->packets, 1U);
  EXPECT_EQ(forward(port.rx(), port.tx())->packets, 0U);
  EXPECT_EQ(port.departures().waiting(), 1U);
  EXPECT_EQ(port.rx().slots().size(), 1U);
}

TEST(Forward, LeavesAPacketThatDoesNotFitWhereItIs) {
  FakePort port({.tx_slots = 4});
  FakePort other({.tx_slots = 4});
  port.arrivals().arrives({bytes_of("a"), bytes_of("b")});
  port.arrivals().arrives({bytes_of("c"), bytes_of("d")});
  EXPECT_EQ(forward(port.rx(), port.tx())->packets, 1U);
  EXPECT_EQ(port.rx().slots().size(), 2U);
  (void)other.tx().send({});
  (void)other.tx().send({});
  (void)other.tx().send({});
  EXPECT_EQ(forward(port.rx(), other.tx())->packets, 0U);
  EXPECT_EQ(port.rx().slots().size(), 2U);
  (void)taken(port.departures(), 2);
  EXPECT_EQ(forward(port.rx(), port.tx())->packets, 1U);
}

TEST(Forward, RefusesAPacketThatNeverFits) {
  for (const bool is_one_region : {true, false}) {
    FakePort port({.tx_slots = 3});
    FakePort other({.tx_slots = 3});
    TxRing& out = is_one_region ? port.tx() : other.tx();
    port.arrivals().arrives({content(1, 256), content(2, 256), content(3, 256)});
    ASSERT_TRUE(out.send({}));
    EXPECT_EQ(forward(port.rx(), out)->packets, 0U) << "as if it would once there is room";
    (void)(is_one_region ? port : other).departures().take();
    EXPECT_EQ(code_of(forward(port.rx(), out)), errc::packet_too_large);
    EXPECT_EQ(port.rx().slots().size(), 3U);
  }
}

TEST(Forward, ThatMovesNothingLeavesWhatWasAskedFor) {
  FakePort port({.tx_slots = 8});
  ASSERT_TRUE(port.tx().want(7));
  EXPECT_EQ(forward(port.rx(), port.tx())->packets, 0U);
  ASSERT_TRUE(port.tx().is_ready());
  ASSERT_TRUE(port.tx().send({}));
  ASSERT_TRUE(port.tx().want(7));
  EXPECT_EQ(forward(port.rx(), port.tx())->packets, 0U);
  EXPECT_FALSE(port.tx().is_ready());
}

/// A slot that names no buffer, or has more bytes than one, in the second of three packets.
class BrokenSlots : public testing::TestWithParam<Regions> {
 protected:
  BrokenSlots() {
    port_.arrivals().arrives({bytes_of("a")});
    port_.arrivals().arrives({bytes_of("b"), bytes_of("c")});
    port_.arrivals().arrives({bytes_of("d")});
  }
  void expect_stop() {
    auto& out = GetParam() == Regions::one ? port_ : other_;
    EXPECT_EQ(code_of(forward(port_.rx(), out.tx())), errc::ring_corrupt);
    EXPECT_EQ(port_.rx().slots().size(), 3U);
    ASSERT_EQ(out.departures().waiting(), 1U);
    EXPECT_EQ(out.departures().take().bytes, bytes_of("a"));
    const Fragments stopped_at = fragments_of(port_.rx().slots());
    EXPECT_EQ(code_of(forward(port_.rx(), out.tx())), errc::ring_corrupt);
    EXPECT_EQ(fragments_of(port_.rx().slots()), stopped_at);
    EXPECT_EQ(out.departures().waiting(), 0U);
  }
  FakePort port_{{.buffer_size = 64}};
  FakePort other_{{.buffer_size = 64}};
};

TEST_P(BrokenSlots, WithoutABufferStopForwardingBehindWholePackets) {
  port_.arrivals().slot(1).buf_idx = 1;
  expect_stop();
}

TEST_P(BrokenSlots, WithoutABufferInThePacketsMiddleStopForwardingBehindWholePackets) {
  port_.arrivals().slot(2).buf_idx = UINT32_MAX;
  expect_stop();
}

TEST_P(BrokenSlots, LongerThanABufferStopForwardingBehindWholePackets) {
  port_.arrivals().slot(2).len = 65;
  expect_stop();
}

INSTANTIATE_TEST_SUITE_P(OneRegionAndTwo, BrokenSlots, testing::Values(Regions::one, Regions::two));

TEST(Forward, BetweenRegionsStopsAtABrokenSlotOfEitherSide) {
  using Break = void (*)(FakePort&, FakePort&);
  for (const Break broken : {
           Break([](FakePort& in, FakePort&) { in.arrivals().slot(1).buf_idx = 1; }),
           Break([](FakePort& in, FakePort&) { in.arrivals().slot(1).buf_idx = UINT32_MAX; }),
           Break([](FakePort& in, FakePort&) { in.arrivals().slot(1).len = 65; }),
           Break([](FakePort&, FakePort& out) { out.departures().slot(1).buf_idx = 1; }),
       }) {
    FakePort in({.buffer_size = 64});
    FakePort out({.buffer_size = 128});
    for (const char* packet : {"a", "b", "c"}) in.arrivals().arrives({bytes_of(packet)});
    broken(in, out);
    EXPECT_EQ(code_of(forward(in.rx(), out.tx())), errc::ring_corrupt);
    ASSERT_EQ(out.departures().waiting(), 1U);
    EXPECT_EQ(out.departures().take().bytes, bytes_of("a"));
    EXPECT_EQ(in.rx().slots().size(), 2U);
  }
}

TEST(Forward, StopsAtAFreeSlotThatNamesNoBuffer) {
  FakePort port;
  port.arrivals().arrives({bytes_of("a")});
  port.arrivals().arrives({bytes_of("b")});
  port.departures().slot(1).buf_idx = 0;
  EXPECT_EQ(code_of(forward(port.rx(), port.tx())), errc::ring_corrupt);
  EXPECT_EQ(port.departures().waiting(), 1U);
  EXPECT_EQ(port.rx().slots().size(), 1U);
}

TEST(Swap, OfASlotThatNamesNoBufferChangesNothing) {
  FakePort port;
  port.arrivals().arrives({bytes_of("a")});
  for (abi::netmap_slot* broken : {&port.arrivals().slot(0), &port.departures().slot(0)}) {
    const auto index = std::exchange(broken->buf_idx, 1);
    const auto before = buffers_in_rings(port);
    RxSlot received = port.rx().slots().front();
    TxSlot free = port.tx().slots().front();
    EXPECT_EQ(code_of(swap(received, free)), errc::ring_corrupt);
    EXPECT_EQ(buffers_in_rings(port), before);
    broken->buf_idx = index;
  }
}

}  // namespace
}  // namespace netmap::test
