// SPDX-License-Identifier: BSD-2-Clause
//
// What a port looks like when it opens, and what a sync does and leaves alone.
#include "conformance/device.hpp"

#include <set>

namespace netmap::conformance {
namespace {

using Syncs = OnDevice;
ON_EVERY_DEVICE(Syncs);

TEST_P(Syncs, AFreshPortHasFreeTxRingsAndEmptyRxRings) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 128, .rx_slots = 256}});
  for (Port* port : {&master, &slave}) {
    TxRing& tx = port->tx_rings()[0];
    RxRing& rx = port->rx_rings()[0];
    EXPECT_EQ(tx.slots().size(), tx.num_slots() - 1);
    EXPECT_EQ(tx.pending(), 0U);
    EXPECT_TRUE(tx.is_ready());
    EXPECT_TRUE(rx.slots().empty());
    EXPECT_FALSE(rx.is_ready());
    EXPECT_EQ(tx.buffer_size(), 2048U);
    EXPECT_EQ(tx.raw()->head, 0U);
    EXPECT_EQ(tx.raw()->cur, 0U);
    EXPECT_EQ(tx.raw()->tail, tx.num_slots() - 1);
    EXPECT_EQ(rx.raw()->tail, 0U);
  }
}

TEST_P(Syncs, AFreshPortHasABufferOfItsOwnInEachSlot) {
  if (has_memory_of_its_own()) return;
  auto [master, slave] = open_pipe();
  std::set<std::uint32_t> buffers;
  std::size_t slots = 0;
  for (const TxSlot slot : master.tx_rings()[0].slots()) {
    EXPECT_EQ(slot.buffer().size(), 2048U);
    EXPECT_EQ(slot.flags(), 0);
    EXPECT_EQ(slot.raw()->len, 2048U);
    EXPECT_EQ(slot.raw()->ptr, 0U);
    buffers.insert(slot.buffer_index());
    ++slots;
  }
  for (const TxSlot slot : slave.tx_rings()[0].slots()) {
    buffers.insert(slot.buffer_index());
    ++slots;
  }
  EXPECT_EQ(buffers.size(), slots);
  EXPECT_GE(*buffers.begin(), abi::buffer_index::first_usable);
}

TEST_P(Syncs, AnIdleSyncChangesNothing) {
  auto [master, slave] = open_pipe();
  for (int i = 0; i != 5; ++i) {
    must(master.sync_tx());
    must(master.sync_rx());
    must(slave.sync_rx());
  }
  EXPECT_EQ(master.tx_rings()[0].slots().size(), master.tx_rings()[0].num_slots() - 1);
  EXPECT_TRUE(slave.rx_rings()[0].slots().empty());
}

TEST_P(Syncs, WhatIsCommittedIsSeenAfterBothSynced) {
  auto [master, slave] = open_pipe();
  ASSERT_EQ(send_numbered(master.tx_rings()[0], 0, 3), 3U);
  EXPECT_TRUE(sync_and_take(slave).empty()) << "the sender has not synced";
  must(master.sync_tx());
  EXPECT_TRUE(slave.rx_rings()[0].slots().empty()) << "the receiver has not synced";
  EXPECT_EQ(sync_and_take(slave), numbers(0, 3));
}

TEST_P(Syncs, ARxSyncDoesNotSend) {
  auto [master, slave] = open_pipe();
  ASSERT_EQ(send_numbered(master.tx_rings()[0], 0, 3), 3U);
  must(master.sync_rx());
  EXPECT_TRUE(sync_and_take(slave).empty());
}

TEST_P(Syncs, WhatIsNotReleasedStays) {
  auto [master, slave] = open_pipe();
  send_and_sync(master, 0, 3);
  RxRing& rx = slave.rx_rings()[0];
  for (int i = 0; i != 3; ++i) {
    must(slave.sync_rx());
    EXPECT_EQ(rx.slots().size(), 3U);
  }
  must(rx.release(rx.slots()[0].after()));
  EXPECT_EQ(rx.slots().size(), 2U);
  EXPECT_EQ(take_numbers(rx), numbers(1, 2));
}

TEST_P(Syncs, PendingCountsWhatThePeerHasNotGivenBack) {
  auto [master, slave] = open_pipe();
  TxRing& tx = master.tx_rings()[0];
  send_and_sync(master, 0, 10);
  EXPECT_EQ(tx.pending(), 10U);
  must(slave.sync_rx());
  RxRing& rx = slave.rx_rings()[0];
  must(rx.release(rx.slots()[3].after()));
  must(slave.sync_rx());
  must(master.sync_tx());
  EXPECT_EQ(tx.pending(), 6U);
}

TEST_P(Syncs, DrainYieldsWhatWasNotTakenInTime) {
  auto [master, slave] = open_pipe();
  ASSERT_EQ(send_numbered(master.tx_rings()[0], 0, 10), 10U);
  EXPECT_EQ(must(master.drain(moment)), 10U) << "it synced, but nobody took them";
  EXPECT_EQ(sync_and_take(slave), numbers(0, 10));
  must(slave.sync_rx());
  EXPECT_EQ(must(master.drain(patience)), 0U);
}

TEST_P(Syncs, DrainWaitsForThePeer) {
  auto master = open(base() + "{1");
  Child taker([&] {
    auto slave = open(base() + "}1");
    while (!must(slave.wait(Direction::rx, patience)).empty()) {
      const auto taken = take_numbers(slave.rx_rings()[0]);
      must(slave.sync_rx());
      if (!taken.empty() && taken.back() == 999) return true;
    }
    return false;
  });
  send_and_sync(master, 0, 1000);
  EXPECT_EQ(must(master.drain(patience)), 0U);
  EXPECT_TRUE(taker.succeeded());
}

TEST_P(Syncs, PortsCountWhatTheyMoved) {
  auto [master, slave] = open_pipe();
  send_and_sync(master, 0, 10);
  must(master.tx_rings()[0].send(numbered(10, 5000)));
  must(master.sync_tx());
  EXPECT_EQ(sync_and_take(slave), numbers(0, 11));
  const PortStats sent = master.stats();
  EXPECT_EQ(sent.tx.packets, 11U);
  EXPECT_EQ(sent.tx.bytes, 5600U);
  EXPECT_EQ(sent.tx_syncs, 2U);
  EXPECT_EQ(sent.rx.packets, 0U);
  EXPECT_EQ(slave.stats().rx.packets, 0U) << "what was taken was not handed over yet";
  must(slave.sync_rx());
  const PortStats received = slave.stats();
  EXPECT_EQ(received.rx.packets, 11U);
  EXPECT_EQ(received.rx.bytes, 5600U);
  EXPECT_EQ(received.rx_syncs, 2U);
}

TEST_P(Syncs, ATimestampIsTheTimeOfTheSync) {
  using std::chrono::floor;
  using std::chrono::microseconds;
  using Clock = std::chrono::system_clock;
  auto [master, slave] = open_pipe();
  RxRing& rx = slave.rx_rings()[0];
  rx.set_timestamps(true);
  const auto before = floor<microseconds>(Clock::now());
  must(slave.sync_rx());
  const auto after = Clock::now();
  EXPECT_GE(rx.timestamp(), before);
  EXPECT_LE(rx.timestamp(), after);
}

TEST_P(Syncs, TailIsNotTheProgramsToWrite) {
  auto [master, slave] = open_pipe();
  send_and_sync(master, 0, 5);
  must(slave.sync_rx());
  slave.rx_rings()[0].raw()->tail = 100;
  master.tx_rings()[0].raw()->tail = 7;
  must(master.sync_tx());
  EXPECT_EQ(sync_and_take(slave), numbers(0, 5));
  EXPECT_EQ(master.tx_rings()[0].pending(), 5U);
}

TEST_P(Syncs, AnImpossiblePositionIsReportedAndMended) {
  auto [master, slave] = open_pipe();
  send_and_sync(master, 0, 5);
  must(slave.sync_rx());
  slave.rx_rings()[0].raw()->head = 5000;
  EXPECT_TRUE(slave.rx_rings()[0].slots().empty());
  EXPECT_EQ(code_of(slave.sync_rx()), errc::ring_corrupt);
  EXPECT_EQ(sync_and_take(slave), numbers(0, 5));

  master.tx_rings()[0].raw()->cur = UINT32_MAX;
  EXPECT_EQ(code_of(master.sync_tx()), errc::ring_corrupt);
  send_and_sync(master, 5, 5);
  EXPECT_EQ(sync_and_take(slave), numbers(5, 5));
}

TEST_P(Syncs, RawRingsAreTheKernelsStructures) {
  auto [master, slave] = open_pipe();
  abi::netmap_ring& tx = *master.tx_rings()[0].raw();
  abi::netmap_slot& slot = abi::slots_of(tx)[tx.head];
  const auto packet = numbered(7);
  std::byte* const buffer =
      reinterpret_cast<std::byte*>(&tx) + tx.buf_ofs + std::size_t{slot.buf_idx} * tx.nr_buf_size;
  std::ranges::copy(packet, buffer);
  slot.len = static_cast<std::uint16_t>(packet.size());
  tx.cur = tx.head = tx.head + 1;
  must(master.sync_tx());
  EXPECT_EQ(sync_and_take(slave), numbers(7, 1));
  EXPECT_EQ(tx.dir, abi::ring_dir::tx);
  EXPECT_EQ(slave.rx_rings()[0].raw()->dir, abi::ring_dir::rx);
}

TEST_P(Syncs, AMovedPortGoesOnWorking) {
  auto pipe = open_pipe();
  RxRing& rx = pipe.slave.rx_rings()[0];
  const Port moved = std::move(pipe.slave);
  Port slave = open(base() + "{2");
  send_and_sync(pipe.master, 0, 3);
  EXPECT_EQ(&rx, &rx);
  slave = std::move(const_cast<Port&>(moved));
  EXPECT_EQ(sync_and_take(slave), numbers(0, 3));
  EXPECT_EQ(&slave.rx_rings()[0], &rx) << "rings stay where they are";
}

}  // namespace
}  // namespace netmap::conformance
