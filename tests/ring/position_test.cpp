// SPDX-License-Identifier: BSD-2-Clause
//
// Which positions a ring may be moved to, and what is written when it moves.
#include "ring/single_step.hpp"
#include "ring/support.hpp"

namespace netmap::test {
namespace {

/// Every position of a ring of `slots` slots, and some that it does not have.
std::vector<std::uint32_t> positions(std::uint32_t slots) {
  std::vector<std::uint32_t> all{2 * slots, 1U << 31, UINT32_MAX - slots, UINT32_MAX - 1,
                                 UINT32_MAX};
  for (std::uint32_t position = 0; position <= slots + 1; ++position) all.push_back(position);
  return all;
}

/// Tries every position in every state of small rings: `move(port, position)`, of the ring that
/// `side_of(port)` is the other side of, must do what `expected(before, position)` says, and must
/// refuse every position that is not owned.
template <class SideOf, class Move, class Expected>
void try_all(const SideOf& side_of, const Move& move, const Expected& expected) {
  std::size_t moved = 0;
  for (const std::uint32_t slots : {1U, 2U, 3U, 5U, 8U}) {
    FakePort port({.rx_slots = slots, .tx_slots = slots});
    const OtherSide& side = side_of(port);
    for (std::uint32_t head = 0; head != slots; ++head) {
      for (std::uint32_t owned = 0; owned != slots; ++owned) {
        const Stand before{head, head, side.after(head, owned)};
        for (const std::uint32_t position : positions(slots)) {
          SCOPED_TRACE(testing::Message() << slots << " slots, " << before << ", to " << position);
          put(side, before);
          const Result<> done = move(port, Position(position));
          const bool is_owned = position < slots && side.distance(head, position) <= owned;
          EXPECT_EQ(code_of(done),
                    is_owned ? std::error_code() : make_error_code(errc::position_out_of_range));
          EXPECT_EQ(stand_of(side), is_owned ? expected(before, position) : before);
          moved += is_owned && position != head ? 1 : 0;
        }
      }
    }
  }
  EXPECT_EQ(moved, 285U) << "n * n * (n - 1) / 2 moves, summed over the sizes";
}

const OtherSide& rx_side(FakePort& port) {
  return port.arrivals();
}
const OtherSide& tx_side(FakePort& port) {
  return port.departures();
}
Stand handed_over(const Stand& before, std::uint32_t position) {
  return {position, position, before.tail};
}

TEST(Positions, OutsideOfWhatIsOwnedAreNotReleased) {
  try_all(rx_side, [](FakePort& port, Position to) { return port.rx().release(to); }, handed_over);
}

TEST(Positions, OutsideOfWhatIsOwnedAreNotReleasedAfterSeenEither) {
  try_all(
      rx_side,
      [](FakePort& port, Position to) {
        EXPECT_TRUE(port.rx().seen(Position(port.arrivals().ring().head)));
        return port.rx().release(to);
      },
      handed_over);
}

TEST(Positions, OutsideOfWhatIsOwnedAreNotSeen) {
  try_all(
      rx_side, [](FakePort& port, Position to) { return port.rx().seen(to); },
      [](const Stand& before, std::uint32_t position) {
        return Stand{before.head, position, before.tail};
      });
}

TEST(Positions, OutsideOfWhatIsOwnedAreNotCommitted) {
  try_all(tx_side, [](FakePort& port, Position to) { return port.tx().commit(to); }, handed_over);
}

#if defined(NETMAP_TEST_STEPS)
/// What a ring's memory shows while a call runs.
struct Seen {
  std::uint32_t moments = 0;
  std::uint32_t states = 0;          ///< how often a position had changed
  std::uint32_t cur_was_behind = 0;  ///< when netmap(4) forbids it
  std::uint32_t tail_changed = 0;
};

template <class Act>
Seen watch(const OtherSide& side, const Act& act) {
  Seen seen;
  Stand last = stand_of(side);
  const std::uint32_t begin = last.head;
  const std::uint32_t tail = last.tail;
  SingleStep::through(act, [&] {
    ++seen.moments;
    const Stand now = stand_of(side);
    if (now != last) ++seen.states;
    if (side.distance(begin, now.cur) < side.distance(begin, now.head)) ++seen.cur_was_behind;
    if (now.tail != tail) ++seen.tail_changed;
    last = now;
  });
  return seen;
}

void expect_in_order(const Seen& seen) {
  EXPECT_GE(seen.states, 2U) << "of " << seen.moments << " moments none was between the stores";
  EXPECT_EQ(seen.cur_was_behind, 0U);
  EXPECT_EQ(seen.tail_changed, 0U);
}

TEST(Positions, CurIsNeverBehindHeadWhileSlotsAreReleased) {
  FakePort port({.rx_slots = 8, .rx_start = 6});
  for (int i = 0; i != 7; ++i) port.arrivals().arrives({bytes_of("a")});
  RxRing& rx = port.rx();
  expect_in_order(watch(port.arrivals(), [&rx] { (void)rx.release(Position(7)); }));
  expect_in_order(watch(port.arrivals(), [&rx] { (void)rx.for_each([](const Packet&) {}, 2); }));
  ASSERT_TRUE(rx.seen(Position(4)));
  expect_in_order(watch(port.arrivals(), [&rx] { (void)rx.release(Position(2)); }));
  expect_in_order(watch(port.arrivals(), [&rx] { (void)rx.release(Position(5)); }));
  EXPECT_EQ(stand_of(port.arrivals()), (Stand{5, 5, 5}));
}

TEST(Positions, CurIsNeverBehindHeadWhileSlotsAreCommitted) {
  FakePort port({.tx_slots = 8, .tx_start = 6});
  TxRing& tx = port.tx();
  expect_in_order(watch(port.departures(), [&tx] { (void)tx.send({}); }));
  expect_in_order(watch(port.departures(), [&tx] { (void)tx.commit(Position(2)); }));
  expect_in_order(watch(port.departures(), [&tx] { (void)tx.writer().commit(); }));
  EXPECT_EQ(stand_of(port.departures()), (Stand{3, 3, 5}));
}

TEST(Positions, CurIsNeverBehindHeadWhilePacketsAreForwarded) {
  FakePort port({.rx_slots = 8, .tx_slots = 8, .rx_start = 6, .tx_start = 5});
  for (int i = 0; i != 5; ++i) port.arrivals().arrives({bytes_of("a")});
  const auto move = [&port] { (void)forward(port.rx(), port.tx(), 2); };
  expect_in_order(watch(port.arrivals(), move));
  expect_in_order(watch(port.departures(), move));
  EXPECT_EQ(stand_of(port.arrivals()), (Stand{2, 2, 3}));
  EXPECT_EQ(stand_of(port.departures()), (Stand{1, 1, 4}));
}

TEST(Positions, WatcherNoticesHeadStoredFirst) {
  FakePort port;
  const Seen seen = watch(port.arrivals(), [&port] {
    detail::store(port.arrivals().ring().head, 1);
    detail::store(port.arrivals().ring().cur, 1);
    detail::store(port.arrivals().ring().tail, 1);
  });
  EXPECT_GT(seen.cur_was_behind, 0U);
  EXPECT_GT(seen.tail_changed, 0U);
}
#endif

}  // namespace
}  // namespace netmap::test
