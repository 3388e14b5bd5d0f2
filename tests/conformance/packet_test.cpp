// SPDX-License-Identifier: BSD-2-Clause
//
// Packets of several slots, and slots as they travel.
#include "conformance/device.hpp"

#include <algorithm>

namespace netmap::conformance {
namespace {

using Fragments = OnDevice;
ON_EVERY_DEVICE(Fragments);

std::vector<std::byte> receive_one(Port& port) {
  must(port.sync_rx());
  std::vector<std::byte> packet(70'000);
  packet.resize(must(port.rx_rings()[0].receive(packet)));
  return packet;
}

TEST_P(Fragments, LargerThanABufferTakeSeveralSlots) {
  auto [master, slave] = open_pipe();
  for (const auto& [from, to] : {std::pair(&master, &slave), std::pair(&slave, &master)}) {
    for (const std::size_t size : {1U, 2048U, 2049U, 4096U, 9000U, 65'535U}) {
      const auto packet = std::vector<std::byte>(size, std::byte{42});
      must(from->tx_rings()[0].send(packet));
      must(from->sync_tx());
      EXPECT_EQ(receive_one(*to), packet) << size << " bytes";
    }
  }
}

TEST_P(Fragments, AreSeenAsTheyWereCut) {
  auto [master, slave] = open_pipe();
  must(master.tx_rings()[0].send(numbered(1, 9000)));
  must(master.sync_tx());
  must(slave.sync_rx());
  RxRing& rx = slave.rx_rings()[0];
  ASSERT_EQ(rx.slots().size(), 5U);
  const Packet packet = *rx.packets().begin();
  EXPECT_FALSE(packet.is_linear());
  EXPECT_EQ(packet.size(), 9000U);
  EXPECT_EQ(packet.front().size(), 2048U);
  for (const RxSlot fragment : packet.fragments()) {
    EXPECT_EQ(fragment.more_fragments(), fragment.after() != packet.after());
  }
  EXPECT_EQ(number_of(packet), 1U);
}

TEST_P(Fragments, CanBeWrittenInPlaceInPiecesOfAnySize) {
  auto [master, slave] = open_pipe();
  const auto packet = numbered(3, 300);
  auto writer = master.tx_rings()[0].writer();
  must(writer.append(std::span(packet).first(10)));
  must(writer.next_fragment());
  std::ranges::copy(std::span(packet).subspan(10, 100), writer.room().begin());
  must(writer.advance(100));
  must(writer.next_fragment());
  must(writer.append(std::span(packet).subspan(110)));
  must(writer.commit());
  must(master.sync_tx());
  must(slave.sync_rx());
  EXPECT_EQ(slave.rx_rings()[0].slots().size(), 3U);
  EXPECT_EQ(take_numbers(slave.rx_rings()[0]), numbers(3, 1));
}

TEST_P(Fragments, ThatAreNotFinishedAreNotSeen) {
  auto [master, slave] = open_pipe();
  TxRing& tx = master.tx_rings()[0];
  send_and_sync(master, 0, 2);
  const auto slot = [&](std::size_t n) { return tx.slots()[n]; };
  must(slot(0).write(numbered(9), abi::slot_flags::more_fragments));
  must(tx.commit(slot(0).after()));
  must(master.sync_tx());
  EXPECT_EQ(sync_and_take(slave), numbers(0, 2));
  EXPECT_TRUE(slave.rx_rings()[0].slots().empty()) << "half a packet is not handed over";
  must(slot(0).write(numbered(9)));
  must(tx.commit(slot(0).after()));
  must(master.sync_tx());
  must(slave.sync_rx());
  EXPECT_EQ((*slave.rx_rings()[0].packets().begin()).size(), 120U);
}

TEST_P(Fragments, OfADroppedWriterAreNotSent) {
  auto [master, slave] = open_pipe();
  must(master.tx_rings()[0].writer().append(numbered(1, 5000)));
  send_and_sync(master, 2, 1);
  EXPECT_EQ(sync_and_take(slave), numbers(2, 1));
}

TEST_P(Fragments, OfTheMostFragmentsPassAndOfMoreAreRefused) {
  auto [master, slave] = open_pipe();
  auto writer = master.tx_rings()[0].writer();
  const auto packet = numbered(5, abi::max_fragments * 10);
  for (std::size_t i = 0; i != abi::max_fragments; ++i) {
    if (i != 0) must(writer.next_fragment());
    must(writer.append(std::span(packet).subspan(i * 10, 10)));
  }
  EXPECT_EQ(code_of(writer.next_fragment()), errc::packet_too_large);
  must(writer.commit());
  must(master.sync_tx());
  EXPECT_EQ(sync_and_take(slave), numbers(5, 1));
}

TEST_P(Fragments, TooLargeForTheReceiversBufferStay) {
  auto [master, slave] = open_pipe();
  must(master.tx_rings()[0].send(numbered(1, 3000)));
  must(master.sync_tx());
  must(slave.sync_rx());
  std::array<std::byte, 2999> small{};
  EXPECT_EQ(code_of(slave.rx_rings()[0].receive(small)), errc::packet_too_large);
  EXPECT_EQ(take_numbers(slave.rx_rings()[0]), numbers(1, 1));
}

TEST_P(Fragments, ThatDoNotFitTheRingAreNotSentInPart) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 8, .rx_slots = 8}});
  TxRing& tx = master.tx_rings()[0];
  send_and_sync(master, 0, 4);
  EXPECT_EQ(code_of(tx.send(numbered(9, 9000))), errc::ring_full);
  must(master.sync_tx());
  EXPECT_EQ(tx.slots().size(), 3U);
  EXPECT_EQ(sync_and_take(slave), numbers(0, 4));
}

TEST_P(Fragments, CarryTheSlotsFlagsAndPointer) {
  if (has_memory_of_its_own()) return;
  auto [master, slave] = open_pipe();
  TxRing& tx = master.tx_rings()[0];
  TxSlot slot = tx.slots().front();
  must(slot.write(numbered(1), abi::slot_flags::no_learn));
  slot.raw()->ptr = 0x1234;
  const std::uint32_t buffer = slot.buffer_index();
  must(tx.commit(slot.after()));
  must(master.sync_tx());
  must(slave.sync_rx());
  const RxSlot received = slave.rx_rings()[0].slots().front();
  EXPECT_EQ(received.buffer_index(), buffer) << "the buffer moves, not its bytes";
  EXPECT_EQ(received.flags() & abi::slot_flags::no_learn, abi::slot_flags::no_learn);
  EXPECT_EQ(received.raw()->ptr, 0x1234U);
}

TEST_P(Fragments, ASlotUsedAgainHasNoFlagsOfItsEarlierUse) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 4, .rx_slots = 4}});
  for (std::uint32_t i = 0; i != 4; ++i) {
    must(master.tx_rings()[0].send(numbered(i, 5000)));
    must(master.sync_tx());
    EXPECT_EQ(sync_and_take(slave), numbers(i, 1));
    must(slave.sync_rx());
    must(master.sync_tx());
    send_and_sync(master, 100, 1);
    must(slave.sync_rx());
    ASSERT_EQ(slave.rx_rings()[0].slots().size(), 1U);
    EXPECT_EQ(slave.rx_rings()[0].slots().front().flags() & abi::slot_flags::more_fragments, 0);
    EXPECT_EQ(take_numbers(slave.rx_rings()[0]), numbers(100, 1));
    must(slave.sync_rx());
    must(master.sync_tx());
  }
}

}  // namespace
}  // namespace netmap::conformance
