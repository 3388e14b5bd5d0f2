// SPDX-License-Identifier: BSD-2-Clause
//
// Interfaces whose driver reads and writes the port's buffers itself. Where NETMAP_TEST_VETH names
// such that cannot, as veth interfaces, all of this is skipped.
#include "xdp/support.hpp"

#include <algorithm>
#include <atomic>

#include <linux/if_xdp.h>
#include <sys/socket.h>

namespace netmap::xdp {
namespace {

/// A card has no buffers yet when its port has just been opened; one that is emulated then may let
/// other packets overtake the first.
std::vector<std::uint32_t> receive_sorted(Port& port, std::size_t count) {
  auto received = receive_frames(port, 0, count);
  std::ranges::sort(received);
  return received;
}

class XdpWithoutCopies : public Xdp {
 protected:
  void SetUp() override {
    Xdp::SetUp();
    if (IsSkipped()) return;
    const auto tried = try_it(near());
    if (!tried && tried.error().message().find("no zero-copy mode") != std::string::npos) {
      GTEST_SKIP() << tried.error().message();
    }
  }
  [[nodiscard]] Result<Port> try_it(const std::string& name, std::uint64_t offset = 256,
                                    const PortConf& conf = {}) const {
    PortOptions options{.device = device(), .conf = conf};
    options.offset = DataOffset{.initial = offset, .bits = 0, .max = 1024};
    options.device.xdp = XdpMode::zero_copy;
    return netmap::open(name, options);
  }
  static void exchange(Port& from, Port& to, std::uint32_t count) {
    send_frames(from, 0, 0, count, 1);
    EXPECT_EQ(receive_sorted(to, count), numbers(0, count));
  }
  [[nodiscard]] Port open_it(const std::string& name, std::uint64_t offset = 256,
                             const PortConf& conf = {}) const {
    return must(try_it(name, offset, conf));
  }
};

TEST_F(XdpWithoutCopies, SayThatTheyAre) {
  const Port port = open_it(near());
  xdp_options options{};
  socklen_t size = sizeof options;
  const int fd = port.wait_handle(Direction::rx).fd;
  ASSERT_EQ(::getsockopt(fd, SOL_XDP, XDP_OPTIONS, &options, &size), 0);
  EXPECT_EQ(options.flags & XDP_OPTIONS_ZEROCOPY, std::uint32_t{XDP_OPTIONS_ZEROCOPY});
  EXPECT_EQ(port.info().xdp, XdpMode::zero_copy);
  EXPECT_EQ(must(open_ports(device())).at(0).xdp, XdpMode::zero_copy);
  EXPECT_EQ(attached_mode(near()), "native");
}

TEST_F(XdpWithoutCopies, AreTheDefaultOfPortsWithOffsetsAlone) {
  EXPECT_EQ(open(near() + "@offset=256").info().xdp, XdpMode::zero_copy);
  EXPECT_EQ(open(near() + "@offset=255").info().xdp, XdpMode::native);
  EXPECT_EQ(open(near()).info().xdp, XdpMode::native);
}

TEST_F(XdpWithoutCopies, MovePacketsAndPutThemAtOffsets) {
  for (const std::uint64_t offset : {256U, 320U}) {
    Port a = open_it(near(), offset);
    Port b = open_it(far(), offset);
    for (int round = 0; round != 40; ++round) {  // the rings come round
      for (const auto& [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
        const auto bytes = static_cast<std::size_t>(60 + 36 * round);
        for (std::uint32_t number = 0; number != 100; ++number) {
          must(from->tx_rings()[0].send(
              conformance::frame(number, 1, conformance::broadcast, bytes)));
        }
        must(from->sync_tx());
        ASSERT_FALSE(must(to->wait(Direction::rx, patience)).empty());
        EXPECT_EQ(to->rx_rings()[0].slots().front().offset(), offset);
        ASSERT_EQ(receive_sorted(*to, 100), numbers(0, 100)) << bytes << " bytes";
      }
    }
    EXPECT_EQ(must(a.drain(patience)), 0U);
    EXPECT_EQ(a.stats().xdp.tx_invalid + b.stats().xdp.rx_invalid, 0U);
  }
}

TEST_F(XdpWithoutCopies, WaitUntilTheDriverHasGivenBackAll) {
  Port port = open_it(near(), 256, {.tx_slots = 64, .rx_slots = 64});
  TxRing& ring = port.tx_rings()[0];
  for (int round = 0; round != 400; ++round) {
    while (ring.send(conformance::frame(0, 1))) {
    }
    EXPECT_EQ(must(port.drain(patience)), 0U) << "round " << round;
  }
}

TEST_F(XdpWithoutCopies, ForwardToPipesAndBack) {
  Port outside = open_it(far());
  Port nic = open_it(near());
  const PortOptions options{.offset = DataOffset{.initial = 256, .bits = 0, .max = 1024}};
  Port inner = open("x{1@1", options);
  Port inside = open("x}1", options);
  const auto pass_on = [](Port& from, Port& to) {
    for (std::size_t left = 100; left != 0;) {
      ASSERT_FALSE(must(from.wait(Direction::rx, patience)).empty());
      const auto done = must(forward(from.rx_rings()[0], to.tx_rings()[0]));
      EXPECT_TRUE(done.zero_copy);
      left -= done.packets;
      must(to.sync_tx());
    }
    must(from.sync_rx());
  };
  for (int round = 0; round != 30; ++round) {
    send_frames(outside, 0, 0, 100, 1);
    pass_on(nic, inner);
    pass_on(inside, inside);
    pass_on(inner, nic);
    ASSERT_EQ(receive_sorted(outside, 100), numbers(0, 100)) << "round " << round;
  }
}

TEST_F(XdpWithoutCopies, HaveAPortForEachDirection) {
  Port sender = open_it(near() + "/T");
  Port receiver = open_it(near() + "/R");
  Port other = open_it(far());
  exchange(sender, other, 300);
  exchange(other, receiver, 300);
}

TEST_F(XdpWithoutCopies, TakePacketsOfOneFragment) {
  Port a = open_it(near());
  Port b = open_it(far());
  TxRing& tx = a.tx_rings()[0];
  must(tx.send(conformance::frame(1, 1, 2, 2500)));
  EXPECT_EQ(code_of(a.sync_tx()), errc::packet_too_large);
  exchange(a, b, 100);
}

TEST_F(XdpWithoutCopies, TellWhoLivesOnNothingOfThoseWhoDied) {
  Port survivor = open("x{1@1");
  std::size_t buffers = 0;
  for (int kill = 0; kill != 8; ++kill) {
    Shared<std::atomic<bool>> is_open;
    Process user([&] {
      Port port = open_it(near());
      *is_open = true;
      for (;;) {
        while (port.tx_rings()[0].send(conformance::frame(1, 1, 2, 200))) {
        }
        must(port.sync_tx());
        must(port.sync_rx());
        must(port.rx_rings()[0].release(port.rx_rings()[0].slots().end()));
      }
      return false;
    });
    ASSERT_TRUE(embedded::await([&] { return is_open->load(); }));
    for (int turn = 0; turn != 1000; ++turn) must(survivor.sync_tx());
    user.kill();
    ASSERT_TRUE(embedded::await([&] { return attached_mode(near()) == "none"; }));
    (void)must(port_info("", device()));  // begins a recount, which the survivor answers …
    must(survivor.sync_tx());
    (void)must(port_info("", device()));  // … and this concludes
    if (kill == 2) buffers = this->buffers(1);
    if (kill > 2) {
      EXPECT_EQ(this->buffers(1), buffers) << "after " << kill << " kills";
    }
  }
  Port a = open_it(near());
  Port b = open_it(far());
  exchange(a, b, 300);
  exchange(b, a, 300);
}

TEST_F(XdpWithoutCopies, HaveNoRoomForLargerPackets) {
  EXPECT_EQ(message_of(try_it(near(), 534)), "") << "1514 bytes are enough";
  EXPECT_THAT(message_of(try_it(near(), 535)), testing::HasSubstr("only where it copies"));
  EXPECT_EQ(open(near() + "@offset=535").info().xdp, XdpMode::native);
}

}  // namespace
}  // namespace netmap::xdp
