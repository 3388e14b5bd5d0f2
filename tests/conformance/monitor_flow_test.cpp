// SPDX-License-Identifier: BSD-2-Clause
//
// What monitors show: in which order, with which flags, and to how many of them; and when what they
// watch goes.
#include "conformance/device.hpp"

#include <cerrno>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace netmap::conformance {
namespace {

class MonitorFlows : public OnDevice {
 protected:
  static constexpr int sent_flag = abi::slot_flags::txmon;

  /// What is in the slots of an rx ring: numbers, and whether the flags say that it was sent.
  struct Seen {
    std::uint32_t number;
    bool was_sent;
    friend bool operator==(const Seen&, const Seen&) = default;
  };
  static std::vector<Seen> look(Port& monitor, std::size_t ring = 0) {
    must(monitor.sync_rx());
    std::vector<Seen> seen;
    monitor.rx_rings()[ring].for_each([&](const Packet& packet) {
      const bool was_sent = (packet.fragments().front().flags() & sent_flag) != 0;
      seen.push_back({number_of(packet).value_or(UINT32_MAX), was_sent});
    });
    return seen;
  }
  /// The slave has taken and released what the master sent, and the master knows.
  static void settle(Port& master, Port& slave, std::uint32_t first, std::uint32_t count) {
    EXPECT_EQ(sync_and_take(slave), numbers(first, count));
    must(slave.sync_rx());
    must(master.sync_tx());
  }
};
ON_EVERY_DEVICE(MonitorFlows);

TEST_P(MonitorFlows, SayWhatWasSent) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(both, base() + "{1/rt");
  send_and_sync(master, 0, 2);
  send_and_sync(slave, 100, 1);
  send_and_sync(master, 2, 1);
  const std::vector<Seen> expected{{0, true}, {1, true}, {100, false}, {2, true}};
  EXPECT_EQ(look(both), expected) << "in the order in which they came";
}

TEST_P(MonitorFlows, KeepTheFlagsOfFragments) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(monitor, base() + "{1/t");
  const auto packet = numbered(7, 100);
  auto writer = master.tx_rings()[0].writer();
  must(writer.append(std::span(packet).first(30)));
  must(writer.next_fragment());
  must(writer.append(std::span(packet).subspan(30)));
  must(writer.commit());
  must(master.sync_tx());
  must(monitor.sync_rx());
  std::size_t packets = 0;
  monitor.rx_rings()[0].for_each([&](const Packet& seen) {
    ++packets;
    EXPECT_EQ(seen.fragments().size(), 2U);
    EXPECT_EQ(number_of(seen), 7U);
  });
  EXPECT_EQ(packets, 1U);
}

TEST_P(MonitorFlows, OfOneRingSeeNoOther) {
  const PortOptions two{.conf = {.tx_rings = 2, .rx_rings = 2}};
  auto [master, slave] = open_pipe(two);
  OPEN_OR_END(all, base() + "{1/t");
  Port second = open(base() + "{1-1/Rt");
  ASSERT_EQ(all.rx_rings().size(), 2U);
  ASSERT_EQ(second.rx_rings().size(), 1U);
  send_and_sync(master, 0, 5, 0);
  send_and_sync(master, 10, 5, 1);
  EXPECT_EQ(sync_and_take(all, 0), numbers(0, 5));
  EXPECT_EQ(sync_and_take(all, 1), numbers(10, 5));
  EXPECT_EQ(sync_and_take(second), numbers(10, 5));
}

TEST_P(MonitorFlows, AreMany) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(one, base() + "{1/t");
  Port two = open(base() + "{1/t");
  Port received = open(base() + "}1/r");
  Port taker = open(base() + "{1/z");
  send_and_sync(master, 0, 10);
  EXPECT_EQ(sync_and_take(one), numbers(0, 10));
  EXPECT_EQ(sync_and_take(two), numbers(0, 10));
  EXPECT_EQ(sync_and_take(received), numbers(0, 10));
  EXPECT_TRUE(sync_and_take(taker).empty()) << "the receiver has them";
  settle(master, slave, 0, 10);
  EXPECT_EQ(sync_and_take(taker), numbers(0, 10));
  close(one);
  send_and_sync(master, 10, 10);
  EXPECT_EQ(sync_and_take(two), numbers(10, 10));
}

TEST_P(MonitorFlows, ExchangeBuffers) {
  if (has_memory_of_its_own()) return;
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 64, .rx_slots = 64}});
  OPEN_OR_END(taker, base() + "{1/z");
  const auto buffers_of = [](auto& ring) {
    std::vector<std::uint32_t> buffers;
    for (const auto& slot : ring.slots()) buffers.push_back(slot.buffer_index());
    return buffers;
  };
  const auto before = buffers_of(master.tx_rings()[0]);
  send_and_sync(master, 0, 40);
  settle(master, slave, 0, 40);
  must(taker.sync_rx());
  const auto shown = buffers_of(taker.rx_rings()[0]);
  EXPECT_EQ(shown, std::vector(before.begin(), before.begin() + 40));
  std::set<std::uint32_t> all(shown.begin(), shown.end());
  for (const std::uint32_t buffer : buffers_of(master.tx_rings()[0])) {
    EXPECT_TRUE(all.insert(buffer).second) << buffer << " is in two slots";
  }
}

TEST_P(MonitorFlows, ThatTakeBuffersFormARow) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(first, base() + "{1/z");
  Port second = open(base() + "{1/z");
  send_and_sync(master, 0, 10);
  settle(master, slave, 0, 10);
  EXPECT_TRUE(look(second).empty()) << "the first has them";
  EXPECT_EQ(look(first).size(), 10U);
  must(first.sync_rx());
  const auto seen = look(second);
  ASSERT_EQ(seen.size(), 10U);
  EXPECT_EQ(seen[3].number, 3U);
  EXPECT_FALSE(seen[3].was_sent) << "as far as the first received it";
  close(first);
  send_and_sync(master, 10, 10);
  settle(master, slave, 10, 10);
  EXPECT_EQ(look(second).size(), 10U) << "from the port itself";
}

TEST_P(MonitorFlows, ThatTakeBuffersStopNobody) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 64, .rx_slots = 64}});
  OPEN_OR_END(taker, base() + "{1/z");
  for (std::uint32_t sent = 0; sent != 500; sent += 50) {
    send_and_sync(master, sent, 50);
    settle(master, slave, sent, 50);
  }
  auto expected = numbers(0, 50);
  for (const std::uint32_t last : numbers(87, 13)) expected.push_back(last);
  EXPECT_EQ(sync_and_take(taker), expected) << "of the batch that overflows, the newest are kept";
}

TEST_P(MonitorFlows, SendNothing) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(monitor, base() + "{1/t");
  ASSERT_EQ(monitor.tx_rings().size(), 1U);
  must(monitor.tx_rings()[0].send(numbered(1)));
  (void)monitor.sync_tx();
  EXPECT_TRUE(sync_and_take(slave).empty());
  EXPECT_TRUE(sync_and_take(monitor).empty());
}

TEST_P(MonitorFlows, EndWithWhatTheyWatch) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(monitor, base() + "{1/Rt");
  send_and_sync(master, 0, 10);
  EXPECT_EQ(sync_and_take(monitor), numbers(0, 10));
  must(monitor.sync_rx());
  close(master);
  EXPECT_FALSE(monitor.wait(Direction::rx, patience)) << "it does not wait for ever";
  Port again = open(base() + "{1");
  send_and_sync(again, 0, 10);
  (void)monitor.sync_rx();
  EXPECT_TRUE(take_numbers(monitor.rx_rings()[0]).empty()) << "that is another port";
}

TEST_P(MonitorFlows, MayEndBeforeWhatTheyWatch) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 64, .rx_slots = 64}});
  for (const std::string which : {"/rt", "/z"}) {
    OPEN_OR_END(monitor, base() + "{1" + which);
    send_and_sync(master, 0, 20);
    close(monitor);
    settle(master, slave, 0, 20);
    carry(master, slave, 100);
  }
}

}  // namespace
}  // namespace netmap::conformance
