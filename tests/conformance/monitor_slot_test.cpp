// SPDX-License-Identifier: BSD-2-Clause
//
// What the slots of monitors say, and how those that take buffers pass them on.
#include "conformance/device.hpp"

#include <cstdint>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace netmap::conformance {
namespace {

constexpr std::uint16_t more = abi::slot_flags::more_fragments;
constexpr std::uint16_t sent = abi::slot_flags::txmon;

/// Flags and buffers as the slots have them, which ports with faults do not hand on.
class MonitorSlots : public OnDevice {
 protected:
  struct Seen {
    std::size_t bytes;
    int flags;
    friend bool operator==(const Seen&, const Seen&) = default;
    friend void PrintTo(const Seen& seen, std::ostream* out) {
      *out << seen.bytes << " bytes, flags " << seen.flags;
    }
  };
  static std::vector<Seen> look(Port& port) {
    must(port.sync_rx());
    std::vector<Seen> seen;
    RxRing& rx = port.rx_rings()[0];
    for (const RxSlot slot : rx.slots()) {
      seen.push_back({slot.length(), slot.flags() & (more | sent)});
    }
    must(rx.release(rx.slots().end()));
    must(port.sync_rx());
    return seen;
  }
  /// Sends slots of these lengths and flags.
  static void send(Port& port, const std::vector<Seen>& parts) {
    TxRing& tx = port.tx_rings()[0];
    auto slot = tx.slots().begin();
    for (const auto& [bytes, flags] : parts) {
      must((*slot).write(numbered(7, bytes), static_cast<std::uint16_t>(flags)));
      ++slot;
    }
    must(tx.commit(slot));
    must(port.sync_tx());
  }
  /// Sends packets, has them received and released, and learns that.
  static void pass(Port& from, Port& to, std::uint32_t first, std::uint32_t count) {
    send_and_sync(from, first, count);
    EXPECT_EQ(sync_and_take(to), numbers(first, count));
    must(to.sync_rx());
    must(from.sync_tx());
  }
  static std::vector<std::uint32_t> take_and_release(Port& port) {
    auto taken = sync_and_take(port);
    must(port.sync_rx());
    return taken;
  }
  template <class Ring>
  static void add_buffers(Ring& ring, std::vector<std::uint32_t>& all) {
    for (const auto& slot : ring.slots()) all.push_back(slot.buffer_index());
  }
};
ON_EVERY_BARE_DEVICE(MonitorSlots);

TEST_P(MonitorSlots, HaveLengthsAndFlagsOfTheWatched) {
  const std::vector<Seen> parts{{100, more}, {4, more}, {5, 0}, {2048, 0}};
  std::vector<Seen> as_sent;
  for (const auto& [bytes, flags] : parts) as_sent.push_back({bytes, flags | sent});
  auto [master, slave] = open_pipe();
  OPEN_OR_END(copies, base() + "{1/t");
  Port received = open(base() + "}1/r");
  Port taker = open(base() + "}1/z");
  send(master, parts);
  EXPECT_EQ(look(copies), as_sent);
  EXPECT_EQ(look(received), parts);
  EXPECT_EQ(look(slave), parts);
  EXPECT_EQ(look(taker), parts);
  must(master.sync_tx());
  close(taker);
  taker = open(base() + "{1/z");
  send(master, parts);
  EXPECT_EQ(look(slave), parts);
  must(master.sync_tx());
  EXPECT_EQ(look(taker), as_sent);
}

TEST_P(MonitorSlots, AreCutToTheRoomTheyHave) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(monitor, base() + "{1/t@offset=64");
  send(master, {{2048, 0}, {1984, 0}});
  EXPECT_EQ(look(monitor), (std::vector<Seen>{{1984, sent}, {1984, sent}}));
  EXPECT_EQ(look(slave), (std::vector<Seen>{{2048, 0}, {1984, 0}}));
}

TEST_P(MonitorSlots, HaveOffsetsOfTheirOwn) {
  auto [master, slave] = open_pipe({.offset = DataOffset{.initial = 100, .bits = 0, .max = 128}});
  OPEN_OR_END(plain, base() + "{1/t");
  Port shifted = open(base() + "}1/r@offset=32");
  send_and_sync(master, 0, 5);
  must(plain.sync_rx());
  must(shifted.sync_rx());
  EXPECT_EQ(plain.rx_rings()[0].slots().front().offset(), 0U);
  EXPECT_EQ(shifted.rx_rings()[0].slots().front().offset(), 32U);
  EXPECT_EQ(take_numbers(plain.rx_rings()[0]), numbers(0, 5));
  EXPECT_EQ(take_numbers(shifted.rx_rings()[0]), numbers(0, 5));
}

TEST_P(MonitorSlots, TellTheWatchedThatItHasAnotherBuffer) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 8, .rx_slots = 8}});
  OPEN_OR_END(taker, base() + "{1/z");
  const std::uint32_t before = master.tx_rings()[0].slots().front().buffer_index();
  pass(master, slave, 0, 7);
  pass(master, slave, 7, 1);
  const TxSlot again = master.tx_rings()[0].slots().front();
  EXPECT_NE(again.buffer_index(), before);
  EXPECT_NE(again.flags() & abi::slot_flags::buf_changed, 0);
}

// What the one at the other end gave for a packet comes back to the sender, and need not be one.
TEST_P(MonitorSlots, AndThoseOfTheWatchedNameEachBufferOnce) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 64, .rx_slots = 64}});
  OPEN_OR_END(first, base() + "{1/z");
  Port second = open(base() + "{1/z");
  Port other = open(base() + "}1/z@conf:rx-slots=16");
  for (std::uint32_t round = 0; round != 50; ++round) {
    pass(master, slave, round * 20, 20);
    pass(slave, master, round * 30, 30);
    if (round % 3 == 0) (void)look(first);
    if (round % 7 == 0) (void)look(second);
    if (round % 5 == 0) (void)look(other);
  }
  std::vector<std::uint32_t> all;
  for (Port* const port : {&first, &second, &other}) {
    must(port->sync_rx());
    add_buffers(port->rx_rings()[0], all);
  }
  for (Port* const port : {&master, &slave}) {
    must(port->sync_tx());
    EXPECT_EQ(port->tx_rings()[0].slots().size(), 63U);
    add_buffers(port->tx_rings()[0], all);
  }
  EXPECT_GT(all.size(), 126U);
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), all.size());
}

TEST_P(MonitorSlots, ToSendAreNotToBeWaitedFor) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(monitor, base() + "{1/t");
  EXPECT_FALSE(monitor.wait(Direction::tx, patience));
  send_and_sync(master, 0, 5);
  EXPECT_EQ(must(monitor.wait(Direction::rx, patience)), Directions(Direction::rx));
  EXPECT_EQ(take_numbers(monitor.rx_rings()[0]), numbers(0, 5)) << "that does not hurt it";
}

// ---- Rows ---------------------------------------------------------------------------------------

TEST_P(MonitorSlots, ThatTakeBuffersSayWhatWasSent) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(taker, base() + "{1/z");
  pass(master, slave, 0, 1);
  pass(slave, master, 1, 2);
  EXPECT_EQ(look(taker), (std::vector<Seen>{{60, sent}, {60, 0}, {60, 0}}));
}

TEST_P(MonitorSlots, OfARowCloseUpWhenOneGoes) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(first, base() + "{1/z");
  Port second = open(base() + "{1/z");
  Port third = open(base() + "{1/z");
  pass(master, slave, 0, 5);
  EXPECT_EQ(take_and_release(first), numbers(0, 5));
  EXPECT_TRUE(take_and_release(third).empty());
  close(second);
  pass(master, slave, 5, 5);
  EXPECT_EQ(take_and_release(first), numbers(5, 5));
  EXPECT_EQ(take_and_release(third), numbers(5, 5)) << "what the second had is lost";
  close(third);
  pass(master, slave, 10, 5);
  EXPECT_EQ(take_and_release(first), numbers(10, 5));
  Port fourth = open(base() + "{1/z");
  pass(master, slave, 15, 5);
  EXPECT_EQ(take_and_release(first), numbers(15, 5));
  EXPECT_EQ(take_and_release(fourth), numbers(15, 5));
}

TEST_P(MonitorSlots, OfARowMissWhatTheyHaveNoRoomFor) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(first, base() + "{1/z");
  Port second = open(base() + "{1/z@conf:rx-slots=8");
  pass(master, slave, 0, 20);
  EXPECT_EQ(take_and_release(first), numbers(0, 20));
  EXPECT_EQ(take_and_release(second), numbers(13, 7));
  pass(master, slave, 20, 5);
  EXPECT_EQ(take_and_release(first), numbers(20, 5));
  EXPECT_EQ(take_and_release(second), numbers(20, 5));
}

TEST_P(MonitorSlots, OfBothKindsDoNotMindEachOther) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(copies, base() + "{1/rt");
  Port taker = open(base() + "{1/z");
  pass(master, slave, 0, 5);
  EXPECT_EQ(take_and_release(copies), numbers(0, 5));
  EXPECT_EQ(take_and_release(taker), numbers(0, 5));
  close(taker);
  pass(master, slave, 5, 5);
  EXPECT_EQ(take_and_release(copies), numbers(5, 5));
  taker = open(base() + "{1/z");
  close(copies);
  pass(master, slave, 10, 5);
  EXPECT_EQ(take_and_release(taker), numbers(10, 5));
}

TEST_P(MonitorSlots, OfARowEndTogether) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(first, base() + "{1/Rz");
  Port second = open(base() + "{1/Rz");
  close(master);
  EXPECT_FALSE(first.wait(Direction::rx, patience));
  EXPECT_FALSE(second.wait(Direction::rx, patience));
  master = open(base() + "{1");
  Port third = open(base() + "{1/Rz");
  pass(master, slave, 0, 5);
  EXPECT_EQ(take_and_release(third), numbers(0, 5));
}

}  // namespace
}  // namespace netmap::conformance
