// SPDX-License-Identifier: BSD-2-Clause
//
// What was committed to a capture's tx ring, found again in its file.
#include "pcap/support.hpp"
#include "support/random.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include <sys/resource.h>

namespace netmap::pcap {
namespace {

using testing::HasSubstr;
using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

class Write : public WithFiles {
 protected:
  [[nodiscard]] Port open_writer(const PortOptions& options = {}) const {
    return open("pcap:tx=" + path(), options);
  }
  /// The packets of the file that was written.
  [[nodiscard]] std::vector<Bytes> written() const {
    Port port = open("pcap:" + path());
    const Shown shown = read_all(port);
    EXPECT_EQ(shown.end, errc::end_of_capture);
    return shown.packets;
  }
};

TEST_F(Write, WhatIsSyncedIsInTheFileWhileThePortIsOpen) {
  Port port = open_writer();
  TxRing& ring = port.tx_rings()[0];
  EXPECT_TRUE(written().empty()) << "the file has no beginning yet";
  must(ring.send(content(0, 60)));
  EXPECT_TRUE(written().empty());
  must(port.sync_tx());
  EXPECT_EQ(written(), (std::vector<Bytes>{content(0, 60)}));
  must(ring.send(content(1, 61)));
  must(port.sync_tx());
  EXPECT_EQ(written(), (std::vector<Bytes>{content(0, 60), content(1, 61)}));
  EXPECT_EQ(port.stats().tx.packets, 2U);
  EXPECT_EQ(port.stats().tx.bytes, 121U);
}

TEST_F(Write, EveryPacketComesBackWholeAndInOrder) {
  test::Random random(2);
  std::vector<Bytes> sent;
  {
    Port port = open_writer({.conf = {.tx_slots = 17}});
    TxRing& ring = port.tx_rings()[0];
    while (sent.size() != 2000) {
      const Bytes packet = content(sent.size(), random.below(3) == 0 ? random.below(20'000) : 60);
      const auto done = ring.send(packet);
      if (done) sent.push_back(packet);
      ASSERT_TRUE(done || code_of(done) == errc::ring_full);
      if (!done || random.below(5) == 0) {
        must(port.sync_tx());
        ASSERT_EQ(ring.slots().size(), 16U) << "a capture takes everything at once";
      }
    }
    must(port.sync_tx());
    EXPECT_EQ(must(port.drain(0ns)), 0U);
  }
  EXPECT_EQ(written(), sent);
}

TEST_F(Write, ItIsAClassicCaptureWithNanosecondsAndTheTimeOfTheSync) {
  Port port = open_writer();
  must(port.tx_rings()[0].send(content(0, 60)));
  const auto clock = [] { return Time(std::chrono::system_clock::now()); };
  const Time before = clock();
  must(port.sync_tx());
  const Time after = clock();
  const Bytes file = read(path());
  const auto word = [&](std::size_t at) {
    std::uint32_t number = 0;
    std::memcpy(&number, file.data() + at, sizeof number);
    return number;
  };
  ASSERT_EQ(file.size(), 24U + 16 + 60);
  EXPECT_EQ(word(0), 0xa1b23c4dU);
  EXPECT_EQ(word(20), ethernet);
  const Time time(std::chrono::seconds(word(24)) + std::chrono::nanoseconds(word(28)));
  EXPECT_GE(time, before);
  EXPECT_LE(time, after);
  EXPECT_EQ(word(32), 60U);
  EXPECT_EQ(word(36), 60U);
}

TEST_F(Write, HalfAPacketWaitsForItsEnd) {
  Port port = open_writer();
  TxRing& ring = port.tx_rings()[0];
  must(ring.send(content(0, 60)));
  auto slot = ring.slots().begin();
  (*slot).raw()->len = 100;
  (*slot).raw()->flags = abi::slot_flags::more_fragments;
  must(ring.commit((*slot).after()));
  must(port.sync_tx());
  EXPECT_EQ(written().size(), 1U);
  slot = ring.slots().begin();
  (*slot).raw()->len = 11;
  must(ring.commit((*slot).after()));
  must(port.sync_tx());
  ASSERT_EQ(written().size(), 2U);
  EXPECT_EQ(written()[1].size(), 111U);
}

TEST_F(Write, AFileThatWasThereIsOverwritten) {
  write(Bytes(10'000, std::byte{'x'}));
  {
    const Port port = open_writer();
  }
  EXPECT_TRUE(written().empty());
}

TEST_F(Write, AFullDiskAtOpen) {
  const auto port = netmap::open("pcap:tx=/dev/full");
  ASSERT_EQ(code_of(port), std::errc::no_space_on_device);
  EXPECT_THAT(port.error().message(), HasSubstr("cannot open 'pcap:tx=/dev/full'"));
  EXPECT_EQ(code_of(netmap::open("pcap:tx=" + path("no/such"))),
            std::errc::no_such_file_or_directory);
  EXPECT_EQ(code_of(netmap::open("pcap:tx=/dev/shm")), std::errc::is_a_directory);
}

/// A file may not grow beyond 4 KiB as long as this exists.
class SmallFiles {
 public:
  SmallFiles() {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit small{4096, limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    (void)std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit limit_{};
  void (*handler_)(int);
};

TEST_F(Write, WhatCannotBeWrittenFailsThatSyncAndAllThatFollow) {
  Port port = open_writer();
  std::error_code first;
  std::error_code second;
  std::string sentence;
  {
    const SmallFiles limit;
    for (int n = 0; n != 3; ++n) must(port.tx_rings()[0].send(content(0, 60)));
    must(port.sync_tx());
    for (int n = 0; n != 10; ++n) must(port.tx_rings()[0].send(content(1, 1000)));
    const auto failed = port.sync_tx();
    first = code_of(failed);
    if (!failed) sentence = failed.error().message();
    second = code_of(port.sync_tx());
  }
  EXPECT_EQ(first, std::errc::file_too_large);
  EXPECT_EQ(second, std::errc::file_too_large);
  EXPECT_THAT(sentence, HasSubstr("cannot sync the tx rings of 'pcap:tx=" + path()));
  Port reader = open("pcap:" + path());
  const Shown shown = read_all(reader);
  ASSERT_GE(shown.packets.size(), 3U);
  EXPECT_EQ(shown.packets[2], content(0, 60));
}

TEST_F(Write, APacketLongerThanTheFormatAllowsIsNotCut) {
  Port port = open_writer({.conf = {.tx_slots = 256}});
  TxRing& ring = port.tx_rings()[0];
  must(ring.send(content(0, 60)));
  for (TxSlot slot : ring.slots()) {
    slot.raw()->len = 2048;
    slot.raw()->flags = abi::slot_flags::more_fragments;
  }
  (*(ring.slots().end() - 1)).raw()->flags = 0;
  must(ring.commit(ring.slots().end()));
  EXPECT_EQ(code_of(port.sync_tx()), errc::packet_too_large);
  EXPECT_EQ(written(), (std::vector<Bytes>{content(0, 60)}));
}

TEST_F(Write, WhatTheProgramBreaksIsTold) {
  Port port = open_writer();
  auto& ring = *port.tx_rings()[0].raw();
  ring.head = ring.cur = 100'000;
  EXPECT_EQ(code_of(port.sync_tx()), errc::ring_corrupt);
  EXPECT_EQ(ring.head, 0U);
  must(port.tx_rings()[0].send(content(0, 60)));
  abi::slots_of(ring)[0].buf_idx = 1'000'000;
  EXPECT_EQ(code_of(port.sync_tx()), errc::ring_corrupt);
  abi::slots_of(ring)[0].buf_idx = 2;
  abi::slots_of(ring)[0].len = 2049;
  EXPECT_EQ(code_of(port.sync_tx()), errc::ring_corrupt);
  abi::slots_of(ring)[0].len = 60;
  must(port.sync_tx());
  EXPECT_EQ(written().size(), 1U);
}

TEST_F(Write, ATxRingIsAlwaysReady) {
  Port port = open_writer();
  EXPECT_EQ(must(port.wait(Direction::tx)), Directions(Direction::tx));
  TxRing& ring = port.tx_rings()[0];
  while (ring.send(content(0, 60))) {
  }
  must(ring.want(ring.num_slots() - 1));
  EXPECT_EQ(must(port.wait(Direction::tx)), Directions(Direction::tx));
  EXPECT_EQ(written().size(), 1023U);
}

// ---- With other ports --------------------------------------------------------------------------

TEST_F(Write, ForwardingInOnePortSwapsBuffers) {
  const auto sent = records({60, 5000, 61, 1514});
  const std::string name = "pcap:rx=" + write(capture(pcapng, sent), "in") + ",tx=" + path();
  {
    Port port = open(name);
    EXPECT_EQ(port.info().name, name);
    must(port.sync_rx());
    EXPECT_TRUE(must(forward(port.rx_rings()[0], port.tx_rings()[0])).zero_copy);
    must(port.sync_tx());
    EXPECT_EQ(code_of(port.sync_rx()), errc::end_of_capture);
  }
  EXPECT_EQ(written(), bytes_of(sent));
}

TEST_F(Write, ThroughAPipeFromACaptureToACapture) {
  const nmx_test::Directory domain("/dev/shm");
  const PortOptions options{.device = {DeviceKind::embedded, domain.path()}};
  const auto sent = records({60, 5000, 61, 1514, 9000});
  Port in = open("pcap:" + write(capture(classic, sent), "in"), options);
  Port left = open("netmap:x{1", options);
  Port right = open("netmap:x}1", options);
  Port out = open("pcap:tx=" + path(), options);
  must(in.sync_rx());
  EXPECT_EQ(must(forward(in.rx_rings()[0], left.tx_rings()[0])).packets, sent.size());
  must(left.sync_tx());
  must(right.sync_rx());
  EXPECT_EQ(must(forward(right.rx_rings()[0], out.tx_rings()[0])).packets, sent.size());
  must(out.sync_tx());
  EXPECT_EQ(written(), bytes_of(sent));
}

TEST_F(Write, NothingIsOverwrittenIfWhatIsToBeReadIsNotThere) {
  write(Bytes(100, std::byte{'x'}));
  EXPECT_FALSE(netmap::open("pcap:rx=" + path("none") + ",tx=" + path()));
  EXPECT_EQ(read(path()), Bytes(100, std::byte{'x'}));
}

}  // namespace
}  // namespace netmap::pcap
