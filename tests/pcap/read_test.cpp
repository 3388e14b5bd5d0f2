// SPDX-License-Identifier: BSD-2-Clause
//
// What a capture's rx ring shows: every packet, in order, whatever the format.
#include "pcap/support.hpp"
#include "support/random.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

namespace netmap::pcap {
namespace {

using testing::HasSubstr;

class Read : public WithFiles {
 protected:
  [[nodiscard]] Port open_capture(const std::vector<Record>& records,
                                  const PortOptions& options = {}) const {
    return open("pcap:" + write(capture(classic, records)), options);
  }
};

class ReadFormat : public WithFiles, public testing::WithParamInterface<Format> {};

TEST_P(ReadFormat, PacketsComeWholeAndInOrder) {
  const auto sent = records({60, 1, 1514, 0, 2048, 2049, 4096, 9000, 65'000, 262'144, 61});
  Port port = open("pcap:" + write(capture(GetParam(), sent)));
  const Shown shown = read_all(port);
  EXPECT_EQ(shown.packets, bytes_of(sent));
  EXPECT_EQ(shown.end, errc::end_of_capture);
}

TEST_P(ReadFormat, NoPacketsAreAnEndAtOnce) {
  Port port = open("pcap:" + write(capture(GetParam(), {})));
  EXPECT_EQ(code_of(port.sync_rx()), errc::end_of_capture);
}

TEST_P(ReadFormat, AnotherLinkTypeIsRefused) {
  constexpr std::uint16_t raw_ip = 101;
  const auto port = netmap::open("pcap:" + write(capture(GetParam(), records({60}), raw_ip)));
  ASSERT_EQ(code_of(port), errc::not_supported);
  EXPECT_THAT(port.error().message(), HasSubstr("RAW"));
}

INSTANTIATE_TEST_SUITE_P(, ReadFormat, testing::ValuesIn(formats), format_name);

TEST_F(Read, APacketOfSeveralSlotsFillsAllButItsLast) {
  Port port = open_capture(records({5000, 4096}));
  must(port.sync_rx());
  std::vector<std::size_t> lengths;
  std::vector<bool> more;
  for (const RxSlot slot : port.rx_rings()[0].slots()) {
    lengths.push_back(slot.length());
    more.push_back(slot.more_fragments());
  }
  EXPECT_EQ(lengths, (std::vector<std::size_t>{2048, 2048, 904, 2048, 2048}));
  EXPECT_EQ(more, (std::vector<bool>{true, true, false, true, false}));
}

TEST_F(Read, WhatWasCutWhenCapturedIsWhatIsLeft) {
  auto cut = records({60});
  cut[0].cut = 1000;
  Port port = open_capture(cut);
  EXPECT_EQ(read_all(port).packets, bytes_of(cut));
}

/// Longer than the ring, with slots kept back at random.
TEST_F(Read, GoesRoundTheRing) {
  test::Random random(1);
  std::vector<std::size_t> sizes;
  for (int n = 0; n != 3000; ++n) sizes.push_back(random.below(3) == 0 ? random.below(9000) : 60);
  const auto sent = records(sizes);
  Port port = open_capture(sent, {.conf = {.rx_slots = 17}});
  RxRing& ring = port.rx_rings()[0];
  ASSERT_EQ(ring.num_slots(), 17U);
  std::size_t next = 0;
  while (port.sync_rx()) {
    const std::size_t held = next;
    auto packet = ring.packets().begin();
    for (; packet != ring.packets().end() && (next == held || random.below(4) != 0); ++packet) {
      ASSERT_LT(next, sent.size());
      Bytes bytes((*packet).size());
      must((*packet).copy_to(bytes));
      ASSERT_EQ(bytes, sent[next].bytes) << "packet " << next;
      ++next;
    }
    ASSERT_NE(next, held) << "no progress";
    must(ring.release(packet));
  }
  EXPECT_EQ(next, sent.size());
  EXPECT_EQ(port.stats().rx.packets, sent.size());
}

TEST_F(Read, TheEndIsToldOnceEverythingWasReleasedAndThenAgain) {
  Port port = open_capture(records({60, 60}));
  must(port.sync_rx());
  must(port.sync_rx());
  RxRing& ring = port.rx_rings()[0];
  must(ring.release((*ring.packets().begin()).after()));
  must(port.sync_rx());
  must(ring.release(ring.packets().end()));
  EXPECT_EQ(code_of(port.sync_rx()), errc::end_of_capture);
  EXPECT_EQ(code_of(port.sync_rx()), errc::end_of_capture);
  EXPECT_EQ(code_of(port.wait(Direction::rx)), errc::end_of_capture);
}

TEST_F(Read, WhoeverHoldsPacketsAndWaitsForMoreIsToldTheEnd) {
  Port port = open_capture(records({60, 60}));
  must(port.wait(Direction::rx));
  RxRing& ring = port.rx_rings()[0];
  must(ring.seen(ring.slots().end()));
  EXPECT_EQ(code_of(port.wait(Direction::rx)), errc::end_of_capture);
  EXPECT_EQ(take(ring).size(), 2U);
}

TEST_F(Read, AFullRingIsNoEnd) {
  Port port = open_capture(records({60, 60, 60}), {.conf = {.rx_slots = 2}});
  must(port.wait(Direction::rx));
  RxRing& ring = port.rx_rings()[0];
  must(ring.seen(ring.slots().end()));
  EXPECT_TRUE(must(port.wait(Direction::rx, 0ns)).empty());
  EXPECT_EQ(take(ring).size(), 1U);
  EXPECT_FALSE(must(port.wait(Direction::rx)).empty());
}

TEST_F(Read, APacketThatNoRingCanHoldIsNotCut) {
  const auto sent = records({60, 2048 * 4, 60});
  Port port = open_capture(sent, {.conf = {.rx_slots = 4}});
  const Shown shown = read_all(port);
  EXPECT_EQ(shown.packets, (std::vector<Bytes>{sent[0].bytes}));
  EXPECT_EQ(shown.end, errc::packet_too_large);
  Port larger = open_capture(sent, {.conf = {.rx_slots = 5}});
  EXPECT_EQ(read_all(larger).packets, bytes_of(sent));
}

TEST_F(Read, ExtraBuffersAreThere) {
  Port port = open_capture(records({60}), {.extra_buffers = 3});
  EXPECT_EQ(port.extra_buffers(), 3U);
  must(port.sync_rx());
  Buffer buffer = must(port.take_buffer());
  auto slot = *port.rx_rings()[0].slots().begin();
  must(slot.swap(buffer));
  EXPECT_EQ(Bytes(buffer.bytes().begin(), buffer.bytes().begin() + 60), records({60})[0].bytes);
  must(port.rx_rings()[0].release(slot.after()));
  EXPECT_EQ(code_of(port.sync_rx()), errc::end_of_capture);
}

TEST_F(Read, TimeStampsTellWhenTheSyncWas) {
  Port port = open_capture(records({60}));
  RxRing& ring = port.rx_rings()[0];
  ring.set_timestamps(true);
  const auto before =
      std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  must(port.sync_rx());
  EXPECT_GE(ring.timestamp(), before);
  EXPECT_LE(ring.timestamp(), std::chrono::system_clock::now());
}

TEST_F(Read, WhatTheProgramBreaksIsToldAndPutBack) {
  Port port = open_capture(records({60, 60, 60}));
  must(port.sync_rx());
  auto& ring = *port.rx_rings()[0].raw();
  ring.head = 5;
  EXPECT_EQ(code_of(port.sync_rx()), errc::ring_corrupt);
  EXPECT_EQ(ring.head, 0U);
  ring.cur = 4;
  EXPECT_EQ(code_of(port.sync_rx()), errc::ring_corrupt);
  ring.head = UINT32_MAX;
  EXPECT_EQ(code_of(port.sync_rx()), errc::ring_corrupt);
  must(port.sync_rx());
  EXPECT_EQ(take(port.rx_rings()[0]).size(), 3U);
}

TEST_F(Read, ASlotThatNamesNoBufferIsNotFilled) {
  Port port = open_capture(records({60, 60}), {.conf = {.rx_slots = 2}});
  must(port.sync_rx());
  auto& ring = *port.rx_rings()[0].raw();
  abi::slots_of(ring)[1].buf_idx = 1'000'000;
  (void)take(port.rx_rings()[0]);
  EXPECT_EQ(code_of(port.sync_rx()), errc::ring_corrupt);
  abi::slots_of(ring)[1].buf_idx = 2;
  must(port.sync_rx());
  EXPECT_EQ(take(port.rx_rings()[0]), (std::vector<Bytes>{records({60, 60})[1].bytes}));
}

// ---- Opening -----------------------------------------------------------------------------------

TEST_F(Read, TheNameDecidesWhateverTheOptionsSay) {
  const std::string name = "pcap:" + write(capture(classic, records({60})));
  for (const DeviceKind kind : {DeviceKind::automatic, DeviceKind::kernel, DeviceKind::embedded}) {
    const Port port = open(name, {.device = {.kind = kind}});
    EXPECT_EQ(port.info().device, DeviceKind::pcap);
  }
  ASSERT_EQ(setenv("NETMAP_DEVICE", "kernel", 1), 0);
  EXPECT_TRUE(netmap::open(name));
  unsetenv("NETMAP_DEVICE");
}

TEST_F(Read, OtherNamesAreNotCaptures) {
  const auto port = netmap::open("netmap:x{1", {.device = {.kind = DeviceKind::pcap}});
  ASSERT_EQ(code_of(port), errc::not_supported);
  EXPECT_THAT(port.error().message(), HasSubstr("pcap:FILE"));
}

TEST_F(Read, APathMayHoldWhatOtherNamesEndAt) {
  const auto sent = records({60});
  Port port = open("pcap:" + write(capture(classic, sent), "a-1*^{2}@3=x.pcap"));
  EXPECT_EQ(read_all(port).packets, bytes_of(sent));
  Port again = open("pcap:rx=" + write(capture(classic, sent), std::string(200, 'n')));
  EXPECT_EQ(read_all(again).packets, bytes_of(sent));
}

TEST_F(Read, WhatCannotBeReadSaysWhy) {
  EXPECT_EQ(code_of(netmap::open("pcap:" + path("none"))), std::errc::no_such_file_or_directory);
  EXPECT_EQ(code_of(netmap::open("pcap:/dev/shm")), std::errc::is_a_directory);
  EXPECT_EQ(code_of(netmap::open("pcap:" + write({}))), errc::capture_damaged);
  const auto text = netmap::open("pcap:" + write(Bytes(100, std::byte{'x'})));
  ASSERT_EQ(code_of(text), errc::capture_damaged);
  EXPECT_THAT(text.error().message(), HasSubstr("unknown file format"));
}

TEST_F(Read, APortWithoutSenderHasNoTxRing) {
  Port port = open_capture(records({60}));
  EXPECT_TRUE(port.tx_rings().empty());
  must(port.sync_tx());
  EXPECT_EQ(port.info().conf, (PortConf{.rx_rings = 1, .rx_slots = 1024}));
  EXPECT_EQ(must(netmap::open_each_ring("pcap:" + path())).size(), 1U);
}

}  // namespace
}  // namespace netmap::pcap
