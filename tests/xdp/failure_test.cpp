// SPDX-License-Identifier: BSD-2-Clause
//
// What may become of interfaces, and of the processes that have them open.
#include "xdp/support.hpp"

#include "support/random.hpp"

#include <atomic>
#include <csignal>
#include <future>

#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>

namespace netmap::xdp {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using XdpFailures = Xdp;

TEST_F(XdpFailures, OfLinksAreGotOver) {
  Port a = open(near());
  Port b = open(far());
  exchange(a, b, 100);
  shell("ip link set " + near() + " down");
  for (std::uint32_t number = 0; number != 10; ++number) {
    must(a.tx_rings()[0].send(conformance::frame(number, 1)));
  }
  must(a.sync_tx());
  must(a.sync_rx());
  EXPECT_TRUE(must(a.wait(Direction::rx, conformance::moment)).empty());
  shell("ip link set " + near() + " up");
  must(a.sync_tx());
  EXPECT_EQ(receive_frames(b, 0, 10), numbers(0, 10)) << "they were kept";
  exchange(b, a, 100);
}

TEST_F(XdpFailures, AreToldOfInterfacesThatAreDeleted) {
  OtherPair pair;
  Port a = open("vc");
  Port b = open("vd");
  exchange(a, b, 10);
  shell("ip link del vc");
  EXPECT_EQ(code_of(a.wait(Direction::rx, patience)), errc::interface_gone);
  must(b.tx_rings()[0].send(conformance::frame(0, 1)));
  EXPECT_EQ(code_of(b.sync_tx()), errc::interface_gone);
  EXPECT_EQ(code_of(try_open("vc")), embedded::os_error(ENXIO));
}

TEST_F(XdpFailures, OfSleepersAreToldOfInterfacesThatAreDeleted) {
  OtherPair pair;
  Shared<std::atomic<bool>> is_open;
  Process sleeper([&] {
    Port port = open("vc");
    *is_open = true;
    return code_of(port.wait(Direction::rx, patience)) == errc::interface_gone;
  });
  ASSERT_TRUE(embedded::await([&] { return is_open->load(); }));
  shell("ip link del vc");
  EXPECT_TRUE(sleeper.succeeded());
}

/// Another process, of a domain of its own, that has a queue open.
Process hold(const std::string& queue, const embedded::ScratchDirectory& domain) {
  const Shared<std::atomic<bool>> is_open;
  Process other([&] {
    Port port = must(netmap::open(queue, {.device = {DeviceKind::embedded, domain.path()}}));
    *is_open = true;
    for (;;) ::pause();
    return false;
  });
  EXPECT_TRUE(embedded::await([&] { return is_open->load(); }));
  return other;
}

TEST_F(XdpFailures, SayWhatIsThereAlready) {
  const embedded::ScratchDirectory elsewhere;
  Process other = hold(near() + "-1", elsewhere);
  EXPECT_THAT(
      message_of(try_open(near() + "-1")),
      AllOf(HasSubstr("cannot take queue 1 of"), HasSubstr("another AF_XDP socket has it")));
  EXPECT_THAT(message_of(try_open(near() + "-0")), HasSubstr("another one is there"));
  other.kill();
  ASSERT_TRUE(embedded::await([&] { return attached_mode(near()) == "none"; }));
  EXPECT_TRUE(try_open(near() + "-0"));
}

TEST_F(XdpFailures, OfOpensThatWaitForAQueueStopNobody) {
  const embedded::ScratchDirectory elsewhere;
  Process other = hold(near() + "-1", elsewhere);
  auto waits = std::async(std::launch::async, [&] { return try_open(near() + "-1"); });
  ASSERT_TRUE(embedded::await([&] { return must(open_ports(device())).size() == 1; }));
  Port pipe = open("x{1");
  other.kill();
  EXPECT_EQ(message_of(waits.get()), "");
}

TEST_F(XdpFailures, DoNotComeOfOpensAtTheSameTime) {
  for (int round = 0; round != 5; ++round) {
    auto opens = std::async(std::launch::async, [&] { return try_open(near() + "/R"); });
    Port sender = open(near() + "/T");
    Port receiver = must(opens.get());
    Port other = open(far());
    exchange(sender, other, 100);
    exchange(other, receiver, 100);
  }
}

TEST_F(XdpFailures, OfRegionsThatAreFullSayWhy) {
  Port port = open(near(), {.conf = {.tx_slots = 16, .rx_slots = 16}});
  const PortOptions large{
      .conf = {.tx_rings = 4, .rx_rings = 4, .tx_slots = 4096, .rx_slots = 4096}};
  EXPECT_THAT(message_of(try_open("x{1@1", large)),
              HasSubstr("does not grow while an interface is open"));
  Port pipe = open("x{1@1", {.conf = {.tx_slots = 16, .rx_slots = 16}});
  close(port);
  close(pipe);
  EXPECT_TRUE(try_open("x{1@1", large));
}

TEST_F(XdpFailures, OfOpensLeaveNothingTaken) {
  Port receiver = open(near() + "/R");
  PortOptions without_copies{.device = device(), .offset = DataOffset{.initial = 256}};
  without_copies.device.xdp = XdpMode::zero_copy;
  EXPECT_THAT(message_of(netmap::open(near() + "/T", without_copies)),
              HasSubstr("has its other direction with copies"));
  Port sender = open(near() + "/T");
  EXPECT_FALSE(try_open(far(), {.conf = {.tx_slots = 4096, .rx_slots = 4096}})) << "so many";
  Port other = open(far());
  EXPECT_EQ(other.tx_rings()[0].num_slots(), 1024U);
  exchange(sender, other, 100);
  exchange(other, receiver, 100);
}

TEST_F(XdpFailures, OfInterfacesThatAreDeletedLeaveNoBuffers) {
  Port stays = open(near());
  std::size_t buffers = 0;
  for (int round = 0; round != 12; ++round) {
    OtherPair pair;
    Port a = open("vc");
    Port b = open("vd");
    exchange(a, b, 10);
    must(stays.sync_tx());
    if (round == 2) buffers = this->buffers(1);
    if (round > 2) {
      EXPECT_LE(this->buffers(1), buffers) << "round " << round;
    }
  }
}

TEST_F(XdpFailures, OfHostRingsAreExplained) {
  EXPECT_THAT(message_of(try_open(near() + "^")), HasSubstr("AF_XDP has no host rings"));
}

/// In a process without rights.
std::string message_without_rights(const std::string& name) {
  Shared<std::array<char, 512>> told;
  Process other([&] {
    const embedded::ScratchDirectory own;
    if (::chown(own.path().c_str(), 65534, 65534) != 0 || ::setgroups(0, nullptr) != 0 ||
        ::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0) {
      return false;
    }
    message_of(netmap::open(name, {.device = {DeviceKind::embedded, own.path()}}))
        .copy(told->data(), told->size() - 1);
    return true;
  });
  EXPECT_TRUE(other.succeeded());
  return told->data();
}

TEST_F(XdpFailures, OfRightsNameTheCapability) {
  EXPECT_THAT(message_without_rights(near()), AllOf(HasSubstr(near()), HasSubstr("CAP_NET_RAW")));
}

// ---- Death --------------------------------------------------------------------------------------

/// Sends and receives until it is killed.
bool use_for_ever(Port port) {
  for (;;) {
    for (TxRing& ring : port.tx_rings()) {
      while (ring.send(conformance::frame(1, 1, 2, 200))) {
      }
    }
    must(port.sync_tx());
    must(port.sync_rx());
    for (RxRing& ring : port.rx_rings()) must(ring.release(ring.slots().end()));
  }
}

TEST_F(XdpFailures, OfProcessesLeaveTheInterfaceAsItWas) {
  const char* const wanted = std::getenv("NETMAP_TEST_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 20;
  test::Random random(3);
  Port survivor = open("x{1@1");
  InUse in_use{};
  std::size_t files = 0;
  for (int kill = 0; kill != kills; ++kill) {
    Shared<std::atomic<bool>> is_open;
    Process user([&] {
      Port port = open(near() + (kill % 2 == 0 ? "" : "-1"));
      *is_open = true;
      return use_for_ever(std::move(port));
    });
    if (!random.one_in(4)) {
      ASSERT_TRUE(embedded::await([&] { return is_open->load(); }));
    }
    for (std::uint32_t turn = random.below(2000); turn != 0; --turn) must(survivor.sync_tx());
    user.kill();
    ASSERT_TRUE(embedded::await([&] { return attached_mode(near()) == "none"; }));
    (void)must(port_info("", device()));  // begins a recount, which the survivor answers …
    must(survivor.sync_tx());
    (void)must(port_info("", device()));  // … and this concludes
    if (kill == 4) {
      in_use = this->in_use(1);
      files = embedded::open_files();
    }
    if (kill > 4) {
      ASSERT_EQ(this->in_use(1), in_use) << "after " << kill << " kills";
      ASSERT_EQ(embedded::open_files(), files) << "after " << kill << " kills";
    }
  }
  Port a = open(near());
  Port b = open(far());
  exchange(a, b, 300, 1, 1);
  exchange(b, a, 300, 3, 3);
}

}  // namespace
}  // namespace netmap::xdp
