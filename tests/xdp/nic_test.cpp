// SPDX-License-Identifier: BSD-2-Clause
//
// Interfaces as ports of the embedded device: what the conformance suite does not ask of all
// devices.
#include "xdp/support.hpp"

#include <netmap/netmap.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

namespace netmap::xdp {
namespace {

class XdpNics : public Xdp {
 protected:
  [[nodiscard]] PortOptions by(XdpMode mode) const {
    PortOptions options;
    options.device = device();
    options.device.xdp = mode;
    return options;
  }
  void options_are_refused(const DataOffset& offset, const char* why) const {
    EXPECT_THAT(message_of(try_open(near(), {.offset = offset})), testing::HasSubstr(why));
  }
};

TEST_F(XdpNics, AreAttachedAsAskedAndSayHow) {
  using enum XdpMode;
  for (const auto& [asked, got] :
       {std::pair(automatic, native), {native, native}, {generic, generic}}) {
    Port port = must(netmap::open(near(), by(asked)));
    EXPECT_EQ(port.info().xdp, got);
    EXPECT_EQ(attached_mode(near()), to_string(got));
    EXPECT_EQ(must(open_ports(device())).at(0).xdp, got);
  }
  EXPECT_EQ(attached_mode(near()), "none") << "the last port is closed";
}

TEST_F(XdpNics, MovePacketsOfAllLengthsInEitherMode) {
  for (const XdpMode mode : {XdpMode::native, XdpMode::generic}) {
    Port a = must(netmap::open(near(), by(mode)));
    Port b = must(netmap::open(far(), by(mode)));
    for (std::uint32_t bytes = 60; bytes <= 1514; bytes += 97) {
      for (std::uint32_t number = 0; number != 100; ++number) {
        must(a.tx_rings()[0].send(conformance::frame(number, 1, 2, bytes)));
      }
      must(a.sync_tx());
      EXPECT_EQ(receive_frames(b, 0, 100), numbers(0, 100)) << bytes << " bytes";
    }
    EXPECT_EQ(must(a.drain(patience)), 0U);
    EXPECT_EQ(a.stats().tx.packets, 1500U);
  }
}

TEST_F(XdpNics, HaveARingForEachQueue) {
  auto from = must(open_each_ring(near(), {.device = device()}));
  auto to = must(open_each_ring(far(), {.device = device()}));
  ASSERT_EQ(from.size(), 4U);
  ASSERT_EQ(to.size(), 4U);
  for (std::size_t ring = 0; ring != from.size(); ++ring) exchange(from[ring], to[ring], 200);
  for (const Port& port : to) EXPECT_EQ(port.stats().rx.packets, 200U);
}

TEST_F(XdpNics, HaveAllRingsInOnePort) {
  Port from = open(near());
  Port to = open(far());
  ASSERT_EQ(from.tx_rings().size(), 4U);
  for (std::size_t ring = 0; ring != 4; ++ring) exchange(from, to, 200, ring, ring);
}

TEST_F(XdpNics, HaveAsManySlotsAsAskedFor) {
  Port port = open(near(), {.conf = {.tx_slots = 64, .rx_slots = 100}});
  EXPECT_EQ(port.tx_rings()[0].num_slots(), 64U);
  EXPECT_EQ(port.rx_rings()[0].num_slots(), 100U);
  Port other = open(far());
  exchange(other, port, 99);
  exchange(port, other, 63);
}

TEST_F(XdpNics, LetEachDirectionHaveAPort) {
  Port sender = open(near() + "/T");
  Port receiver = open(near() + "/R");
  Port other = open(far());
  exchange(sender, other, 300);
  exchange(other, receiver, 300);
  close(receiver);
  EXPECT_THAT(message_of(try_open(near() + "/R")), testing::HasSubstr("its other direction"));
  const HostSocket host(near());
  send_frames(other, 0, 5, 1, 1);
  EXPECT_EQ(host.receive(), 5U) << "nobody has the direction open";
  exchange(sender, other, 300);
  close(sender);
  Port both = open(near());
  exchange(other, both, 300);
}

int socket_option(const Port& port, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  (void)::getsockopt(port.wait_handle(Direction::rx).fd, SOL_SOCKET, option, &value, &size);
  return value;
}

TEST_F(XdpNics, PollBusilyIfAsked) {
  for (const XdpMode mode : {XdpMode::native, XdpMode::generic}) {
    for (const bool busy_poll : {true, false}) {
      PortOptions options = by(mode);
      options.device.busy_poll = busy_poll;
      Port a = must(netmap::open(near() + "-0", options));
      Port b = must(netmap::open(far() + "-0", options));
      exchange(a, b, 300);
      exchange(b, a, 300);
      EXPECT_EQ(socket_option(b, SO_PREFER_BUSY_POLL), busy_poll ? 1 : 0);
      if (busy_poll) {
        EXPECT_GT(socket_option(b, SO_BUSY_POLL), 0);
      }
    }
  }
}

TEST_F(XdpNics, LeaveQueuesThatNobodyHasToTheHost) {
  Port ring = open(near() + "-3");
  Port other = open(far());
  const HostSocket host(near());
  send_frames(other, 0, 7, 1, 1);
  EXPECT_EQ(host.receive(), 7U);
  exchange(other, ring, 50, 3, 0);
}

TEST_F(XdpNics, ForwardToEachOtherWithoutACopy) {
  Port a = open(near());
  Port b = open(far());
  send_frames(a, 0, 0, 100, 1);
  std::size_t forwarded = 0;
  while (forwarded != 100) {
    ASSERT_FALSE(must(b.wait(Direction::rx, patience)).empty());
    const auto done = must(forward(b.rx_rings()[0], b.tx_rings()[0]));
    EXPECT_TRUE(done.zero_copy);
    forwarded += done.packets;
    must(b.sync_tx());
  }
  EXPECT_EQ(receive_frames(a, 0, 100), numbers(0, 100));
}

// ---- Data offsets -------------------------------------------------------------------------------

constexpr DataOffset far_in{.initial = 320, .bits = 0, .max = 512};

/// What is asked for, and where packets begin then.
constexpr std::pair<DataOffset, std::size_t> offsets_and_begins[] = {
    {{.initial = 0, .bits = 0, .max = 0}, 0},       {{.initial = 64, .bits = 7, .max = 100}, 64},
    {{.initial = 255, .bits = 0, .max = 255}, 255}, {{.initial = 0, .bits = 0, .max = 256}, 256},
    {{.initial = 256, .bits = 9, .max = 256}, 256}, {far_in, 320}};

/// Sends one frame at each of three offsets, and expects them where packets begin.
void expect_offsets(Port& from, Port& to, const DataOffset& offset, std::size_t begin) {
  TxRing& tx = from.tx_rings()[0];
  EXPECT_EQ(tx.slots().front().offset(), offset.initial);
  std::uint32_t number = 0;
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{offset.initial}, std::size_t{offset.max}}) {
    const auto frame = conformance::frame(number++, 1, 2, 1514);
    TxSlot slot = tx.slots().front();
    must(slot.set_offset(at));
    must(slot.write(frame));
    must(tx.commit(slot.after()));
  }
  must(from.sync_tx());
  for (std::uint32_t expected = 0; expected != number; ++expected) {
    ASSERT_FALSE(must(to.wait(Direction::rx, patience)).empty());
    const RxSlot slot = to.rx_rings()[0].slots().front();
    EXPECT_EQ(slot.offset(), begin);
    EXPECT_EQ(slot.length(), 1514U);
    EXPECT_EQ(conformance::number_in_frame(slot.bytes()), expected);
    must(to.rx_rings()[0].release(slot.after()));
  }
}

TEST_F(XdpNics, PutPacketsAtOffsets) {
  for (const XdpMode mode : {XdpMode::automatic, XdpMode::native, XdpMode::generic}) {
    for (const auto& [offset, begin] : offsets_and_begins) {
      SCOPED_TRACE(std::string(to_string(mode)) + ", " + std::to_string(offset.initial) + " of " +
                   std::to_string(offset.max));
      PortOptions options = by(mode);
      options.offset = offset;
      Port a = must(netmap::open(near(), options));
      Port b = must(netmap::open(far(), options));
      EXPECT_EQ(a.info().offset->max, offset.max);
      expect_offsets(a, b, offset, begin);
      expect_offsets(b, a, offset, begin);
      for (int round = 0; round != 12; ++round) exchange(a, b, 100);  // the rings come round
      EXPECT_EQ(must(a.drain(patience)), 0U);
    }
  }
}

TEST_F(XdpNics, HaveOffsetsForOnePortAndNotForTheNext) {
  for (const char* name : {"", "@offset=64", "@offset=256", ""}) {
    Port a = open(near() + name);
    Port b = open(far());
    exchange(a, b, 100);
    exchange(b, a, 100);
    EXPECT_EQ(a.tx_rings()[0].raw()->offset_mask != 0, *name != '\0');
    EXPECT_EQ(b.tx_rings()[0].raw()->offset_mask, 0U);
  }
}

TEST_F(XdpNics, HaveOffsetsForSomeQueues) {
  Port plain = open(near() + "-0");
  Port offset = open(near() + "-1@offset=300");
  Port other = open(far());
  exchange(other, plain, 100, 0, 0);
  exchange(other, offset, 100, 1, 0);
  exchange(plain, other, 100, 0, 0);
  exchange(offset, other, 100, 0, 1);
}

TEST_F(XdpNics, OfOneQueueHaveTheSameOffsetsInBothDirections) {
  Port receiver = open(near() + "/R@offset=256");
  Port sender = open(near() + "/T");
  Port other = open(far());
  exchange(sender, other, 300);
  exchange(other, receiver, 300);
  EXPECT_EQ(code_of(try_open(near() + "-1/R")), std::errc::device_or_resource_busy);
  close(receiver);
  close(sender);
  Port first = open(near() + "/T@offset=64");
  EXPECT_THAT(message_of(try_open(near() + "/R@offset=256")),
              testing::HasSubstr("open both with the same"));
  EXPECT_THAT(message_of(try_open(near() + "/R")), testing::HasSubstr("open both with the same"));
  Port second = open(near() + "/R@offset=64");
  exchange(other, second, 300);
}

TEST_F(XdpNics, AndPipesForwardToEachOtherWithoutACopyOffsetsAndAll) {
  const PortOptions options{.offset = far_in};
  Port outside = open(far(), options);
  Port nic = open(near(), options);
  Port inner = open("x{1@1", options);
  Port inside = open("x}1", options);
  const auto pass_on = [](Port& from, Port& to, std::size_t count) {
    while (count != 0) {
      ASSERT_FALSE(must(from.wait(Direction::rx, patience)).empty());
      const auto done = must(forward(from.rx_rings()[0], to.tx_rings()[0]));
      EXPECT_TRUE(done.zero_copy);
      count -= done.packets;
      must(to.sync_tx());
    }
    must(from.sync_rx());
  };
  for (int round = 0; round != 30; ++round) {  // the rings come round
    send_frames(outside, 0, 0, 100, 1);
    pass_on(nic, inner, 100);
    ASSERT_FALSE(must(inside.wait(Direction::rx, patience)).empty());
    EXPECT_EQ(inside.rx_rings()[0].slots().front().offset(), 320U);
    pass_on(inside, inside, 100);  // and back by the other ring
    pass_on(inner, nic, 100);
    ASSERT_FALSE(must(outside.wait(Direction::rx, patience)).empty());
    EXPECT_EQ(receive_frames(outside, 0, 100), numbers(0, 100));
  }
}

TEST_F(XdpNics, WithoutOffsetsCopyToThoseWithThem) {
  Port outside = open(far());
  Port nic = open(near());
  Port inner = open("x{1@1", {.offset = far_in});
  Port inside = open("x}1", {.offset = far_in});
  send_frames(outside, 0, 7, 1, 1);
  ASSERT_FALSE(must(nic.wait(Direction::rx, patience)).empty());
  EXPECT_FALSE(must(forward(nic.rx_rings()[0], inner.tx_rings()[0])).zero_copy);
  must(inner.sync_tx());
  EXPECT_EQ(receive_frames(inside, 0, 1), numbers(7, 1));
}

TEST_F(XdpNics, AreWithoutCopiesOnlyWithADriverAndOffsetsForIt) {
  PortOptions options = by(XdpMode::zero_copy);
  const auto why = [&] { return message_of(netmap::open(near(), options)); };
  EXPECT_THAT(why(), testing::AllOf(testing::HasSubstr("a port without data offsets"),
                                    testing::HasSubstr("@offset=256")));
  options.offset = DataOffset{.initial = 255};
  EXPECT_THAT(why(), testing::HasSubstr("256 bytes into buffers of a power of two"));
  options.offset = DataOffset{.initial = 256};
  EXPECT_THAT(why(), testing::HasSubstr("its driver has no zero-copy mode"));
  {
    Port generic = must(netmap::open(near() + "-1", by(XdpMode::generic)));
    EXPECT_THAT(message_of(netmap::open(near() + "-0", options)),
                testing::HasSubstr("others have the interface open in generic mode"));
  }
  options.device.xdp = XdpMode::automatic;
  EXPECT_EQ(must(netmap::open(near(), options)).info().xdp, XdpMode::native);
}

TEST_F(XdpNics, RefuseOffsetsThatCannotBe) {
  options_are_refused({.initial = 2049}, "does not fit a buffer of 2048");
  options_are_refused({.initial = 2048}, "to begin at byte 2048");
  options_are_refused({.initial = 64, .bits = 65}, "at most 64 bits");
  Port a = open(near());
  Port b = open(far());
  exchange(a, b, 100);
}

TEST_F(XdpNics, AreSharedByProcesses) {
  Port first = open(near() + "-0");
  Port other = open(far());
  Shared<std::atomic<bool>> is_open;
  Process second([&] {
    Port port = open(near() + "-1");
    *is_open = true;
    return receive_frames(port, 0, 100) == numbers(0, 100);
  });
  ASSERT_TRUE(embedded::await([&] { return is_open->load(); }));
  EXPECT_THAT(message_of(try_open(near() + "-1")),
              testing::HasSubstr("AF_XDP gives a queue to one"));
  close(first);
  EXPECT_EQ(attached_mode(near()), "native") << "the other process is there";
  send_frames(other, 1, 0, 100, 1);
  EXPECT_TRUE(second.succeeded());
  EXPECT_EQ(attached_mode(near()), "none");
}

TEST_F(XdpNics, CountWhatTheKernelDropped) {
  Port from = open(near());
  Port to = open(far(), {.conf = {.rx_slots = 64}});
  send_frames(from, 0, 0, 200, 1);
  EXPECT_EQ(must(from.drain(patience)), 0U);
  EXPECT_EQ(receive_frames(to, 0, 63), numbers(0, 63));
  const XdpCounts counts = to.stats().xdp;
  EXPECT_EQ(counts.rx_dropped + counts.rx_ring_full, 200U - 63);
  EXPECT_LE(counts.rx_no_buffer, counts.rx_dropped);
  EXPECT_EQ(from.stats().xdp.tx_invalid, 0U);
}

/// ethtool -L. Queues that are to go must have no socket, and the kernel holds one a little longer
/// than its process.
void set_queues(const std::string& interface, std::uint32_t count) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_SCHANNELS;
  channels.rx_count = channels.tx_count = count;
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&channels);
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int done = -1;
  EXPECT_TRUE(embedded::await([&] {
    done = ::ioctl(fd, SIOCETHTOOL, &request);
    return done == 0 || errno != EINVAL;
  }));
  EXPECT_EQ(done, 0) << std::strerror(errno);
  ::close(fd);
}

TEST_F(XdpNics, HaveTheQueuesThatThereAreNow) {
  const Port stays = open("x{1@1", embedded::small_rings);
  for (const std::uint32_t queues : {4U, 2U, 3U}) {
    set_queues(near(), queues);
    set_queues(far(), queues);
    Port from = open(near());
    Port to = open(far());
    ASSERT_EQ(from.tx_rings().size(), queues);
    ASSERT_EQ(to.rx_rings().size(), queues);
    for (std::size_t ring = 0; ring != queues; ++ring) exchange(from, to, 100, ring, ring);
  }
  set_queues(near(), 4);
  set_queues(far(), 4);
}

/// From Linux 6.6 on.
bool has_fragments() {
  utsname system{};
  int major = 0;
  int minor = 0;
  EXPECT_EQ(::uname(&system), 0);
  EXPECT_EQ(std::sscanf(system.release, "%d.%d", &major, &minor), 2);
  return std::pair(major, minor) >= std::pair(6, 6);
}

TEST_F(XdpNics, SplitWhatIsLargerThanABuffer) {
  shell("ip link set " + near() + " mtu 3400; ip link set " + far() + " mtu 3400");
  {
    auto opened = try_open(near());
    ASSERT_EQ(opened.has_value(), has_fragments());
    if (opened) {
      Port b = open(far());
      TxRing& tx = opened->tx_rings()[0];
      must(tx.send(conformance::frame(7, 1, 2, 3000)));
      must(opened->sync_tx());
      ASSERT_FALSE(must(b.wait(Direction::rx, patience)).empty());
      const Packet packet = *b.rx_rings()[0].packets().begin();
      EXPECT_EQ(packet.size(), 3000U);
      EXPECT_EQ(packet.fragments().size(), 2U);
    } else {
      EXPECT_THAT(message_of(opened), testing::HasSubstr("larger than the region's buffers"));
    }
  }
  shell("ip link set " + near() + " mtu 1500; ip link set " + far() + " mtu 1500");
}

}  // namespace
}  // namespace netmap::xdp
