// SPDX-License-Identifier: BSD-2-Clause
//
// Buffers that change places: between rings, by forward(), and between rings and the program, as
// extra buffers.
#include "conformance/device.hpp"

#include <algorithm>
#include <set>

namespace netmap::conformance {
namespace {

using Buffers = OnDevice;
ON_EVERY_DEVICE(Buffers);

/// Every buffer index in the rings of a port.
void collect(Port& port, std::multiset<std::uint32_t>& indices) {
  const auto add = [&](Ring& ring) {
    const abi::netmap_slot* slots = abi::slots_of(*ring.raw());
    for (std::uint32_t i = 0; i != ring.num_slots(); ++i) indices.insert(slots[i].buf_idx);
  };
  for (RxRing& ring : port.rx_rings()) add(ring);
  for (TxRing& ring : port.tx_rings()) add(ring);
}

// ---- Forwarding
// ----------------------------------------------------------------------------------

TEST_P(Buffers, AreSwappedBetweenPipesOfOneParent) {
  if (has_memory_of_its_own()) return;
  auto [source, in] = open_pipe();
  auto out = open(base() + "{2");
  auto sink = open(base() + "}2");
  EXPECT_EQ(in.info().memory_id, out.info().memory_id);
  send_and_sync(source, 0, 1);
  must(in.sync_rx());
  const RxSlot received = in.rx_rings()[0].slots().front();
  const TxSlot free = out.tx_rings()[0].slots().front();
  const Forwarded done = must(forward(in.rx_rings()[0], out.tx_rings()[0]));
  EXPECT_EQ(done.packets, 1U);
  EXPECT_TRUE(done.zero_copy);
  EXPECT_EQ(free.raw()->buf_idx, received.buffer_index());
  EXPECT_EQ(received.raw()->buf_idx, free.buffer_index());
  EXPECT_NE(free.raw()->flags & abi::slot_flags::buf_changed, 0);
  EXPECT_NE(received.raw()->flags & abi::slot_flags::buf_changed, 0);

  must(out.sync_tx());
  must(sink.sync_rx());
  EXPECT_EQ(sink.rx_rings()[0].slots().front().buffer_index(), received.buffer_index());
  EXPECT_EQ(take_numbers(sink.rx_rings()[0]), numbers(0, 1));
}

TEST_P(Buffers, AreNeitherLostNorDoubledByForwarding) {
  if (has_memory_of_its_own()) return;
  constexpr std::uint32_t count = 6000;
  auto [source, in] = open_pipe({.conf = {.tx_slots = 64, .rx_slots = 64}});
  auto out = open(base() + "{2", {.conf = {.tx_slots = 128, .rx_slots = 128}});
  auto sink = open(base() + "}2");
  std::uint32_t sent = 0;
  std::uint32_t received = 0;
  while (received != count) {
    sent += send_numbered(source.tx_rings()[0], sent, count - sent, 1 + sent % 5000 + 60);
    must(source.sync_tx());
    must(in.sync_rx());
    must(forward(in.rx_rings()[0], out.tx_rings()[0]));
    must(in.sync_rx());
    must(out.sync_tx());
    const auto taken = sync_and_take(sink);
    ASSERT_EQ(taken, numbers(received, static_cast<std::uint32_t>(taken.size())));
    received += static_cast<std::uint32_t>(taken.size());
    must(sink.sync_rx());
    must(out.sync_tx());
    must(source.sync_tx());
  }
  std::multiset<std::uint32_t> indices;
  collect(source, indices);
  collect(out, indices);
  EXPECT_EQ(std::set(indices.begin(), indices.end()).size(), indices.size());
}

TEST_P(Buffers, AreCopiedBetweenRegions) {
  auto [source, in] = open_pipe();
  auto out = open(base() + "x{1");
  auto sink = open(base() + "x}1");
  ASSERT_NE(in.info().memory_id, out.info().memory_id);
  must(source.tx_rings()[0].send(numbered(0)));
  must(source.tx_rings()[0].send(numbered(1, 9000)));
  must(source.sync_tx());
  must(in.sync_rx());
  const Forwarded done = must(forward(in.rx_rings()[0], out.tx_rings()[0]));
  EXPECT_EQ(done.packets, 2U);
  EXPECT_FALSE(done.zero_copy);
  must(out.sync_tx());
  EXPECT_EQ(sync_and_take(sink), numbers(0, 2));
}

TEST_P(Buffers, ForwardingStopsWhereTheOtherRingIsFull) {
  auto [source, in] = open_pipe();
  auto out = open(base() + "{2", {.conf = {.tx_slots = 8, .rx_slots = 8}});
  auto sink = open(base() + "}2");
  send_and_sync(source, 0, 20);
  must(in.sync_rx());
  EXPECT_EQ(must(forward(in.rx_rings()[0], out.tx_rings()[0])).packets, 7U);
  EXPECT_EQ(must(forward(in.rx_rings()[0], out.tx_rings()[0])).packets, 0U);
  must(out.sync_tx());
  EXPECT_EQ(sync_and_take(sink), numbers(0, 7));
  EXPECT_EQ(take_numbers(in.rx_rings()[0]), numbers(7, 13));
}

TEST_P(Buffers, TravelBackToTheSender) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 4, .rx_slots = 4}});
  send_and_sync(master, 0, 1);
  must(slave.sync_rx());
  const std::uint32_t lent = slave.rx_rings()[0].slots().front().buffer_index();
  const std::uint32_t other = slave.tx_rings()[0].slots().front().buffer_index();
  must(forward(slave.rx_rings()[0], slave.tx_rings()[0]));
  must(slave.sync_rx());
  must(master.sync_tx());
  EXPECT_EQ(abi::slots_of(*master.tx_rings()[0].raw())[0].buf_idx, other)
      << "the sender's slot has the buffer that was swapped in";
  must(slave.sync_tx());
  must(master.sync_rx());
  EXPECT_EQ(master.rx_rings()[0].slots().front().buffer_index(), lent);
  EXPECT_EQ(take_numbers(master.rx_rings()[0]), numbers(0, 1));
}

// ---- Extra buffers
// -------------------------------------------------------------------------------

TEST_P(Buffers, CanBeAskedForBesideTheRings) {
  auto port = open(base() + "{1", {.extra_buffers = 3});
  ASSERT_EQ(port.extra_buffers(), 3U);
  std::multiset<std::uint32_t> indices;
  collect(port, indices);
  std::vector<Buffer> taken;
  for (std::size_t left = 3; left != 0; --left) {
    EXPECT_EQ(port.extra_buffers(), left);
    taken.push_back(must(port.take_buffer()));
    EXPECT_EQ(taken.back().bytes().size(), 2048U);
    std::ranges::fill(taken.back().bytes(), std::byte{7});
  }
  EXPECT_EQ(code_of(port.take_buffer()), errc::ring_empty);
  taken.pop_back();
  EXPECT_EQ(port.extra_buffers(), 1U);
}

TEST_P(Buffers, CanBeSentWithoutACopy) {
  auto port = open(base() + "{1", {.extra_buffers = 1});
  auto slave = open(base() + "}1");
  auto buffer = must(port.take_buffer());
  const auto packet = numbered(77);
  std::ranges::copy(packet, buffer.bytes().begin());
  TxRing& tx = port.tx_rings()[0];
  TxSlot slot = tx.slots().front();
  const std::uint32_t replaced = slot.buffer_index();
  must(slot.swap(buffer));
  EXPECT_NE(slot.buffer_index(), replaced);
  must(slot.set_length(packet.size()));
  EXPECT_NE(slot.flags() & abi::slot_flags::buf_changed, 0) << "the driver has yet to see it";
  must(tx.commit(slot.after()));
  must(port.sync_tx());
  EXPECT_EQ(sync_and_take(slave), numbers(77, 1));
}

TEST_P(Buffers, CanBeKeptPastTheRelease) {
  auto master = open(base() + "{1");
  auto slave = open(base() + "}1", {.extra_buffers = 1});
  auto kept = must(slave.take_buffer());
  send_and_sync(master, 5, 1);
  must(slave.sync_rx());
  RxSlot received = slave.rx_rings()[0].slots().front();
  must(received.swap(kept));
  must(slave.rx_rings()[0].release(received.after()));
  must(slave.sync_rx());
  send_numbered(master.tx_rings()[0], 100, 5000);
  must(master.sync_tx());
  EXPECT_EQ(number_of(kept.bytes().first(60)), 5U);
}

TEST_P(Buffers, GoBackWhenThePortCloses) {
  auto holder = open(base() + "{1");
  for (int i = 0; i != 150; ++i) {
    auto port = open(base() + "}1", {.extra_buffers = 1000});
    ASSERT_EQ(port.extra_buffers(), 1000U) << "after " << i << " ports";
    auto buffer = must(port.take_buffer());
    must(port.tx_rings()[0].slots().front().swap(buffer));
  }
}

TEST_P(Buffers, CloseBeforeTheirPortDoes) {
  auto holder = open(base() + "{1");
  auto port = open(base() + "}1", {.extra_buffers = 2});
  auto outliving = must(port.take_buffer());
  close(port);
  EXPECT_TRUE(outliving.bytes().empty()) << "a buffer of a closed port names nothing";
}

TEST_P(Buffers, OfANullPortFitItsRegion) {
  if (has_memory_of_its_own()) return;
  auto [master, slave] = open_pipe();
  const std::uint16_t memory_id = master.info().memory_id;
  auto window = try_open("window", {.extra_buffers = 1, .memory_id = memory_id, .null_port = true});
  if (refused(window)) return;
  Port& null_port = *window;
  EXPECT_EQ(null_port.info().memory_id, memory_id);
  auto buffer = must(null_port.take_buffer());
  std::ranges::copy(numbered(3), buffer.bytes().begin());
  TxSlot slot = master.tx_rings()[0].slots().front();
  must(slot.swap(buffer));
  must(slot.set_length(60));
  must(master.tx_rings()[0].commit(slot.after()));
  must(master.sync_tx());
  EXPECT_EQ(sync_and_take(slave), numbers(3, 1));
}

TEST_P(Buffers, OfAnotherRegionAreRefused) {
  auto port = open(base() + "{1", {.extra_buffers = 1});
  auto stranger = open(base() + "x{1");
  auto buffer = must(port.take_buffer());
  TxSlot slot = stranger.tx_rings()[0].slots().front();
  EXPECT_EQ(code_of(slot.swap(buffer)), errc::not_supported);
}

}  // namespace
}  // namespace netmap::conformance
