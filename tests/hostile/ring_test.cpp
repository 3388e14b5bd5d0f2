// SPDX-License-Identifier: BSD-2-Clause
//
// Whatever the other side writes into the rings, a program stays inside its memory and comes to
// an end. What lies outside is out of bounds to the address sanitizer, or a guard page.
#include "hostile/exercise.hpp"

#include <bit>
#include <thread>

namespace netmap::test {
namespace {

constexpr Shape shape{.rx_slots = 4,
                      .tx_slots = 4,
                      .rx_start = 3,
                      .tx_start = 2,
                      .buffer_size = 64,
                      .extra_buffers = 1};

/// A port with packets in it, in an own region, and one to forward to.
struct Pair {
  Pair() {
    for (FakePort* one : {&port, &other}) {
      one->arrivals().arrives({bytes_of("ab")});
      one->arrivals().arrives({content(1, 64), content(2, 64)});
      (void)one->tx().send(bytes_of("c"));
    }
  }
  std::size_t exercise(const std::function<void()>& meanwhile) {
    Exercise exercise(port.port(), other.port(), meanwhile);
    exercise.all();
    return exercise.touched();
  }

  FakePort port{shape};
  FakePort other{shape};
};

// ---- One damaged word at a time -----------------------------------------------------------------

std::vector<std::uint64_t> bad_values() {
  const std::uint32_t slots = shape.rx_slots;
  return {0, 1, slots - 1, slots, slots + 1, 11, 12, 0x7fff, 0xffff, 1ULL << 31, UINT32_MAX};
}

/// Everything the other side can write into a ring, by name.
struct Word {
  const char* name;
  std::function<void(const OtherSide&, std::uint64_t)> write;
};
template <class T>
void write_to(T& word, std::uint64_t value) {
  detail::store(word, static_cast<T>(value));
}
std::vector<Word> words() {
  using Side = const OtherSide&;
  using Value = std::uint64_t;
  std::vector<Word> all{
      {"head", [](Side side, Value value) { write_to(side.ring().head, value); }},
      {"cur", [](Side side, Value value) { write_to(side.ring().cur, value); }},
      {"tail", [](Side side, Value value) { write_to(side.ring().tail, value); }},
      {"flags", [](Side side, Value value) { write_to(side.ring().flags, value); }},
      {"tv_sec", [](Side side, Value value) { write_to(side.ring().ts.tv_sec, value); }},
  };
  for (std::uint32_t i = 0; i != shape.rx_slots; ++i) {
    all.push_back(
        {"buf_idx", [i](Side side, Value value) { write_to(side.slot(i).buf_idx, value); }});
    all.push_back({"len", [i](Side side, Value value) { write_to(side.slot(i).len, value); }});
    all.push_back({"flags", [i](Side side, Value value) { write_to(side.slot(i).flags, value); }});
    all.push_back({"ptr", [i](Side side, Value value) { write_to(side.slot(i).ptr, value); }});
  }
  all.push_back(
      {"num_slots", [](Side side, Value value) { write_to(side.ring().num_slots, value); }});
  all.push_back(
      {"nr_buf_size", [](Side side, Value value) { write_to(side.ring().nr_buf_size, value); }});
  all.push_back({"buf_ofs", [](Side side, Value value) { write_to(side.ring().buf_ofs, value); }});
  return all;
}

TEST(HostileRing, CannotHarmWithAnyOneWord) {
  for (const Word& word : words()) {
    for (const std::uint64_t value : bad_values()) {
      for (const bool is_rx : {true, false}) {
        SCOPED_TRACE(testing::Message() << word.name << ' ' << value << " in " << is_rx);
        Pair ports;
        const OtherSide& side =
            is_rx ? static_cast<const OtherSide&>(ports.port.arrivals()) : ports.port.departures();
        const auto damage = [&] { word.write(side, value); };
        damage();
        EXPECT_GT(ports.exercise(damage), 0U) << "nothing was shown";
      }
    }
  }
}

class BrokenPositions : public testing::TestWithParam<std::uint32_t> {};

TEST_P(BrokenPositions, OfAReceiveRingShowNothingAndAreReported) {
  for (const bool is_head : {true, false}) {
    Pair ports;
    auto& ring = ports.port.arrivals().ring();
    (is_head ? ring.head : ring.tail) = GetParam();
    const Stand before = stand_of(ports.port.arrivals());
    RxRing& rx = ports.port.rx();
    Bytes into(8);
    EXPECT_TRUE(rx.slots().empty());
    EXPECT_TRUE(rx.packets().empty());
    EXPECT_FALSE(rx.is_ready());
    EXPECT_EQ(code_of(rx.receive(into)), errc::ring_empty);
    EXPECT_EQ(code_of(rx.release(Position(0))), errc::ring_corrupt);
    EXPECT_EQ(code_of(rx.seen(Position(0))), errc::ring_corrupt);
    EXPECT_EQ(stand_of(ports.port.arrivals()), before);
  }
}

TEST_P(BrokenPositions, OfASendRingShowNothingAndAreReported) {
  for (const bool is_head : {true, false}) {
    Pair ports;
    auto& ring = ports.port.departures().ring();
    (is_head ? ring.head : ring.tail) = GetParam();
    const Stand before = stand_of(ports.port.departures());
    TxRing& tx = ports.port.tx();
    EXPECT_TRUE(tx.slots().empty());
    EXPECT_FALSE(tx.is_ready());
    EXPECT_EQ(code_of(tx.send({})), errc::ring_full);
    EXPECT_EQ(code_of(tx.writer().commit()), errc::ring_full);
    EXPECT_EQ(code_of(tx.commit(Position(0))), errc::ring_corrupt);
    EXPECT_EQ(code_of(forward(ports.port.rx(), tx)), errc::ring_corrupt);
    EXPECT_EQ(stand_of(ports.port.departures()), before);
  }
}

INSTANTIATE_TEST_SUITE_P(Values, BrokenPositions,
                         testing::Values(4U, 5U, 1U << 31, UINT32_MAX - 1, UINT32_MAX));

TEST(HostileSlot, ShowsNothingIfItNamesNoBuffer) {
  for (const std::uint32_t index : {0U, 1U, 11U, 1U << 31, UINT32_MAX}) {
    Pair ports;
    ports.port.arrivals().slot(3).buf_idx = index;
    ports.port.departures().slot(3).buf_idx = index;
    EXPECT_TRUE(ports.port.rx().slots().front().bytes().empty()) << index;
    EXPECT_FALSE(ports.port.rx().slots().front().is_sound());
    EXPECT_TRUE((*ports.port.rx().packets().begin()).front().empty());
    EXPECT_TRUE(ports.port.tx().slots().front().buffer().empty());
    EXPECT_EQ(code_of(ports.port.tx().send(bytes_of("a"))), errc::ring_corrupt);
    EXPECT_EQ(code_of(ports.port.tx().slots().front().set_length(0)), errc::ring_corrupt);
  }
}

TEST(HostileSlot, ShowsNothingIfItIsLongerThanABuffer) {
  for (const std::uint16_t length : {std::uint16_t{65}, std::uint16_t{UINT16_MAX}}) {
    Pair ports;
    ports.port.arrivals().slot(3).len = length;
    EXPECT_TRUE(ports.port.rx().slots().front().bytes().empty()) << length;
    EXPECT_EQ(ports.port.rx().slots().front().length(), length);
    EXPECT_FALSE(ports.port.rx().slots().front().is_sound());
  }
}

/// The index of the next extra buffer, four bytes, stands in each, and nothing may follow the last.
TEST(HostileRing, WhoseBuffersAreTooSmallForAListIsRefused) {
  for (const std::uint32_t size : {0U, 1U, 3U}) {
    const GuardedMemory memory(Plan(shape).bytes);
    auto device = std::make_unique<FakeDevice>(shape, std::make_shared<Hooks>(), memory);
    device->rx_ring()->nr_buf_size = size;
    EXPECT_EQ(code_of(Port::assemble(std::move(device), {}, {})), errc::region_damaged) << size;
  }
}

// ---- Random damage ------------------------------------------------------------------------------

/// Overwrites what the other side can write, now and then with what could be.
class Vandal {
 public:
  Vandal(Pair& ports, std::uint64_t seed)
      : sides_{ports.port.arrivals(), ports.port.departures(), ports.other.arrivals(),
               ports.other.departures()},
        random_(seed) {}

  void strike() {
    const OtherSide& side = sides_[random_.below(sides_.size())];
    auto& ring = side.ring();
    auto& slot = side.slot(random_.below(shape.rx_slots));
    switch (random_.below(8)) {
      case 0: return detail::store(ring.head, any());
      case 1: return detail::store(ring.tail, any());
      case 2: return detail::store(ring.cur, any());
      case 3: return detail::store(ring.flags, any());
      case 4: return detail::store(slot.buf_idx, random_.below(13));
      case 5: return detail::store(slot.len, static_cast<std::uint16_t>(random_.below(80)));
      case 6: return detail::store(slot.flags, static_cast<std::uint16_t>(random_.bits()));
      default: return detail::store(slot, std::bit_cast<detail::SlotWord>(random_.bits()));
    }
  }

 private:
  std::uint32_t any() {
    switch (random_.below(8)) {
      case 0: return static_cast<std::uint32_t>(random_.bits());
      case 1: return UINT32_MAX - random_.below(4);
      case 2: return shape.rx_slots + random_.below(3);
      default: return random_.below(shape.rx_slots);
    }
  }

  std::vector<OtherSide> sides_;
  Random random_;
};

TEST(HostileRing, CannotHarmBetweenAnyTwoSteps) {
  std::size_t touched = 0;
  for (std::uint64_t seed = 0; seed != 300; ++seed) {
    Pair ports;
    Vandal vandal(ports, seed);
    Random random(seed);
    for (int round = 0; round != 10; ++round) {
      touched += ports.exercise([&] {
        for (auto strikes = random.below(3); strikes != 0; --strikes) vandal.strike();
      });
    }
  }
  EXPECT_GT(touched, 100'000U) << "nonsense was all that was tried";
}

TEST(HostileRing, CannotHarmFromAnotherThread) {
  std::size_t touched = 0;
  for (std::uint64_t seed = 0; seed != 20; ++seed) {
    Pair ports;
    const std::jthread other_side([&ports, seed] {
      Vandal vandal(ports, seed);
      for (int strikes = 0; strikes != 20'000; ++strikes) vandal.strike();
    });
    for (int round = 0; round != 20; ++round) touched += ports.exercise([] {});
  }
  EXPECT_GT(touched, 1000U) << "nonsense was all that was tried";
}

}  // namespace
}  // namespace netmap::test
