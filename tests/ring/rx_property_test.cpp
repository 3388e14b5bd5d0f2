// SPDX-License-Identifier: BSD-2-Clause
//
// Random arrivals, looks and releases, each checked against a queue.
#include "ring/support.hpp"

namespace netmap::test {
namespace {

class Receiving {
 public:
  Receiving(const Start& start, std::uint64_t seed)
      : port_({.rx_slots = start.slots, .rx_start = start.head, .buffer_size = buffer_size}),
        head_(start.head),
        random_(seed) {}

  void run(std::size_t steps) {
    for (std::size_t step = 0; step != steps && !testing::Test::HasFailure(); ++step) {
      move();
      check_stand();
      if (slots() <= 64 || step % 16 == 0) look();
    }
    EXPECT_GE(oracle_.passed(), steps / 16) << "it hardly went on";
    EXPECT_GE(oracle_.passed(), 2 * slots()) << "the ring was not gone around";
  }

 private:
  static constexpr std::uint32_t buffer_size = 64;

  [[nodiscard]] RxRing& ring() { return port_.rx(); }
  [[nodiscard]] std::uint32_t slots() { return port_.arrivals().num_slots(); }
  [[nodiscard]] std::size_t owned() const { return oracle_.waiting().size(); }
  [[nodiscard]] Position place(std::size_t ahead) {
    return Position(port_.arrivals().after(head_, static_cast<std::uint32_t>(ahead)));
  }

  void move() {
    switch (random_.below(12)) {
      case 0: return receive();
      case 1:
      case 2: return use_each();
      case 3:
      case 4: return release_some();
      case 5: return overreach();
      case 6: return see_some();
      default: return arrive_some();
    }
  }

  /// Parts of packets, whole ones, several.
  void arrive_some() {
    for (auto count = random_.below(port_.arrivals().room() + 1); count != 0; --count) {
      if (fragments_left_ == 0) fragments_left_ = 1 + random_.below(4) * random_.below(2);
      std::uint16_t flags = random_.one_in(4) ? abi::slot_flags::forward : std::uint16_t{0};
      if (--fragments_left_ != 0) flags |= abi::slot_flags::more_fragments;
      const Fragment fragment{content(next_++, random_.below(buffer_size + 1)), flags};
      arrive(port_.arrivals(), fragment);
      oracle_.sent(fragment);
    }
  }

  /// `count` slots are no longer ours.
  void passed(std::size_t count) {
    head_ = place(count).index();
    seen_ = seen_ > count ? seen_ - count : 0;
  }

  void receive() {
    Bytes into(random_.below(3 * buffer_size));
    const auto whole = oracle_.whole_packets();
    const auto received = ring().receive(into);
    if (whole.empty()) {
      EXPECT_EQ(code_of(received), errc::ring_empty);
    } else if (const Bytes packet = oracle_.bytes(whole.front()); packet.size() > into.size()) {
      EXPECT_EQ(code_of(received), errc::packet_too_large);
    } else {
      ASSERT_TRUE(received);
      into.resize(*received);
      EXPECT_EQ(into, packet);
      oracle_.drop(whole.front());
      passed(whole.front());
    }
  }

  void use_each() {
    auto whole = oracle_.whole_packets();
    const std::size_t limit = random_.one_in(2) ? SIZE_MAX : random_.below(whole.size() + 2);
    whole.resize(std::min(limit, whole.size()));
    Fragments used;
    const auto use = [&used](const Packet& packet) {
      for (const auto& fragment : fragments_of(packet.fragments())) used.push_back(fragment);
    };
    EXPECT_EQ(ring().for_each(use, limit), whole.size());
    std::size_t count = 0;
    for (const std::size_t packet : whole) count += packet;
    EXPECT_EQ(oracle_.take(used, count), Fault::none);
    passed(count);
  }

  void release_some() {
    const std::size_t count = random_.below(owned() + 1);
    ASSERT_TRUE(ring().release(place(count)));
    oracle_.drop(count);
    passed(count);
  }

  void overreach() {
    const std::size_t beyond = owned() + 1 + random_.below(slots() - owned());
    const bool is_in_ring = beyond < slots();
    const Position position = is_in_ring ? place(beyond) : Position(slots() + random_.below(9));
    EXPECT_EQ(code_of(ring().release(position)), errc::position_out_of_range);
    EXPECT_EQ(code_of(ring().seen(position)), errc::position_out_of_range);
  }

  void see_some() {
    seen_ = random_.below(owned() + 1);
    ASSERT_TRUE(ring().seen(place(seen_)));
  }

  void check_stand() {
    EXPECT_EQ(stand_of(port_.arrivals()),
              (Stand{head_, place(seen_).index(), place(owned()).index()}));
    EXPECT_EQ(ring().is_ready(), seen_ != owned());
  }

  void look() {
    const auto shown = ring().slots();
    EXPECT_EQ(shown.size(), owned());
    EXPECT_EQ(shown.empty(), owned() == 0);
    EXPECT_EQ(oracle_.check(fragments_of(shown), owned()), Fault::none);
    look_at_packets(random_.one_in(2) ? SIZE_MAX : random_.below(owned() + 2));
  }

  void look_at_packets(std::size_t limit) {
    const auto whole = oracle_.whole_packets(limit);
    const auto packets = ring().packets(limit);
    EXPECT_EQ(packets.empty(), whole.empty());
    Fragments shown;
    std::size_t count = 0;
    std::size_t ahead = 0;
    for (const Packet packet : packets) {
      ASSERT_LT(count, whole.size()) << "a packet that is not whole";
      const auto fragments = fragments_of(packet.fragments());
      EXPECT_EQ(fragments.size(), whole[count]);
      EXPECT_EQ(packet.is_linear(), whole[count] == 1);
      EXPECT_EQ(copy_of(packet.front()), fragments.front().bytes);
      EXPECT_EQ(packet.position(), place(ahead));
      EXPECT_EQ(packet.after(), place(ahead += whole[count++]));
      shown.insert(shown.end(), fragments.begin(), fragments.end());
    }
    EXPECT_EQ(count, whole.size());
    EXPECT_EQ(packets.slots().size(), ahead);
    EXPECT_EQ(oracle_.check(shown, ahead), Fault::none);
  }

  FakePort port_;
  Oracle oracle_;
  std::uint32_t head_;
  std::size_t seen_ = 0;  ///< how far cur is ahead of head
  Random random_;
  std::uint64_t next_ = 0;
  std::uint32_t fragments_left_ = 0;
};

TEST(RxRing, GivesEveryPacketOnceInOrderAndUnharmed) {
  for (const Start& start : starts()) {
    SCOPED_TRACE(testing::Message() << start);
    Receiving(start, start.slots + start.head).run(1000);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace netmap::test
