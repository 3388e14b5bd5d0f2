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
