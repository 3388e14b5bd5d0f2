// SPDX-License-Identifier: BSD-2-Clause
//
// Random packets sent in every way, each checked against a queue when the other side takes it.
#include "ring/support.hpp"

namespace netmap::test {
namespace {

class Sending {
 public:
  Sending(const Start& start, std::uint64_t seed)
      : port_({.tx_slots = start.slots, .tx_start = start.head, .buffer_size = buffer_size}),
        head_(start.head),
        random_(seed) {}

  void run(std::size_t steps) {
    for (std::size_t step = 0; step != steps && !testing::Test::HasFailure(); ++step) {
      move();
      check_stand();
    }
    EXPECT_GE(oracle_.passed(), steps / 16) << "it hardly went on";
    EXPECT_GE(oracle_.passed(), 2 * slots()) << "the ring was not gone around";
  }

 private:
  static constexpr std::uint32_t buffer_size = 64;

  [[nodiscard]] TxRing& ring() { return port_.tx(); }
  [[nodiscard]] Departures& departures() { return port_.departures(); }
  [[nodiscard]] std::uint32_t slots() { return departures().num_slots(); }
  [[nodiscard]] std::uint32_t pending() const {
    return static_cast<std::uint32_t>(oracle_.waiting().size());
  }
  [[nodiscard]] std::uint32_t free() { return slots() - 1 - pending(); }
  [[nodiscard]] std::uint32_t place(std::uint32_t ahead) {
    return departures().after(head_, ahead);
  }

  void move() {
    switch (random_.below(12)) {
      case 0:
      case 1:
      case 2: return send_one();
      case 3:
      case 4: return write_one();
      case 5: return fill_some();
      case 6: return want_some();
      case 7: return overreach();
      case 8: return soil_free_slots();
      default: return others_take();
    }
  }

  Bytes any_bytes(std::size_t most) { return content(next_++, random_.below(most + 1)); }

  void committed(const Fragments& fragments) {
    oracle_.sent(fragments);
    head_ = place(static_cast<std::uint32_t>(fragments.size()));
    ahead_ = 0;
    wanted_ = 1;
  }

  static Fragments split(std::span<const std::byte> bytes) {
    Fragments fragments;
    do {
      const auto part = bytes.first(std::min<std::size_t>(buffer_size, bytes.size()));
      bytes = bytes.subspan(part.size());
      fragments.push_back({copy_of(part), bytes.empty() ? std::uint16_t{0} : more});
    } while (!bytes.empty());
    return fragments;
  }

  /// What a packet that finds too few slots hears: it may fit later, or it never will.
  [[nodiscard]] errc refusal() {
    return free() + 1 == ring().num_slots() ? errc::packet_too_large : errc::ring_full;
  }

  void send_one() {
    const Bytes packet = any_bytes(random_.one_in(2) ? buffer_size : 4 * buffer_size);
    const Fragments fragments = split(packet);
    const auto sent = ring().send(packet);
    if (fragments.size() > free()) {
      EXPECT_EQ(code_of(sent), refusal());
    } else {
      ASSERT_TRUE(sent);
      committed(fragments);
    }
  }

  /// Fragments of any size, each written piece by piece; now and then the writer is dropped.
  void write_one() {
    auto writer = ring().writer();
    Fragments fragments;
    for (auto left = 1 + random_.below(4); left != 0; --left) {
      if (!fragments.empty()) {
        const auto next = writer.next_fragment();
        ASSERT_EQ(next.has_value(), fragments.size() < free());
        EXPECT_EQ(code_of(next), next ? std::error_code() : make_error_code(refusal()));
        if (!next) return;
        fragments.back().flags = more;
      }
      if (free() == 0) break;
      fragments.push_back({write_fragment(writer), 0});
    }
    if (random_.one_in(4)) return;
    if (fragments.empty()) {
      EXPECT_EQ(code_of(writer.commit()), errc::ring_full);
      return;
    }
    const std::uint16_t report = random_.one_in(2) ? abi::slot_flags::report : std::uint16_t{0};
    fragments.back().flags = report;
    ASSERT_TRUE(writer.commit(report));
    committed(fragments);
  }

  Bytes write_fragment(PacketWriter& writer) {
    Bytes bytes = any_bytes(buffer_size);
    const auto half = std::span(bytes).first(bytes.size() / 2);
    const auto rest = std::span(bytes).subspan(half.size());
    EXPECT_TRUE(writer.append(half));
    EXPECT_EQ(writer.room().size(), buffer_size - half.size());
    std::ranges::copy(rest, writer.room().begin());
    EXPECT_EQ(code_of(writer.advance(writer.room().size() + 1)), errc::packet_too_large);
    EXPECT_TRUE(writer.advance(rest.size()));
    return bytes;
  }

  void fill_some() {
    const auto view = ring().slots();
    ASSERT_EQ(view.size(), free());
    Fragments fragments;
    const std::size_t count = random_.below(view.size() + 1);
    for (std::size_t i = 0; i != count; ++i) {
      const bool is_last = i + 1 == count || random_.one_in(2);
      fragments.push_back({any_bytes(buffer_size), is_last ? std::uint16_t{0} : more});
      ASSERT_TRUE(view[i].write(fragments.back().bytes, fragments.back().flags));
    }
    ASSERT_TRUE(ring().commit(view.begin() + static_cast<std::ptrdiff_t>(count)));
    committed(fragments);
  }

  void want_some() {
    const std::uint32_t wanted = random_.below(slots() + 2);
    const auto asked = ring().want(wanted);
    if (wanted == 0 || wanted >= slots()) {
      EXPECT_EQ(code_of(asked), errc::ring_full);
      return;
    }
    ASSERT_TRUE(asked);
    wanted_ = wanted;
    ahead_ = std::min(wanted - 1, free());
  }

  void overreach() {
    const std::uint32_t beyond = free() + 1 + random_.below(slots() - free());
    const std::uint32_t position = beyond < slots() ? place(beyond) : slots() + random_.below(9);
    EXPECT_EQ(code_of(ring().commit(Position(position))), errc::position_out_of_range);
  }

  /// Leaves flags of earlier use.
  void soil_free_slots() {
    constexpr int all_but_swapped = 0xffff & ~abi::slot_flags::buf_changed;
    for (std::uint32_t i = 0; i != free(); ++i) {
      departures().slot(place(i)).flags =
          static_cast<std::uint16_t>(random_.bits()) & all_but_swapped;
    }
  }

  void others_take() {
    Fragments taken;
    for (auto count = random_.below(departures().waiting() + 1); count != 0; --count) {
      const auto [bytes, flags] = departures().take();
      taken.push_back({bytes, flags});
    }
    EXPECT_EQ(oracle_.take(taken, taken.size()), Fault::none);
  }

  void check_stand() {
    EXPECT_EQ(stand_of(departures()), (Stand{head_, place(ahead_), place(free())}));
    EXPECT_EQ(departures().waiting(), pending());
    EXPECT_EQ(ring().pending(), pending());
    EXPECT_EQ(ring().slots().size(), free());
    EXPECT_EQ(ring().is_ready(), free() >= wanted_);
    if (pending() == 0) return;
    const auto& last = departures().slot(departures().after(head_, slots() - 1));
    EXPECT_EQ(last.flags & more, 0) << "half a packet was committed";
  }

  FakePort port_;
  Oracle oracle_;
  std::uint32_t head_;
  std::uint32_t ahead_ = 0;  ///< how far cur is ahead of head
  std::uint32_t wanted_ = 1;
  Random random_;
  std::uint64_t next_ = 0;
};

TEST(TxRing, SendsEveryPacketOnceInOrderAndUnharmed) {
  for (const Start& start : starts()) {
    SCOPED_TRACE(testing::Message() << start);
    Sending(start, start.slots + start.head).run(start.slots > 64 ? 20'000 : 2000);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace netmap::test
