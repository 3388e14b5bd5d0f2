// SPDX-License-Identifier: BSD-2-Clause
//
// nmx on interfaces, without the module.
#include "xdp/support.hpp"

#include "cli/process.hpp"

#include <atomic>
#include <csignal>

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

namespace netmap::xdp {
namespace {

using nmx_test::Arguments;
using nmx_test::Outcome;
using nmx_test::operator+;
using testing::HasSubstr;
using Command = nmx_test::Process;

class XdpNmx : public Xdp {
 protected:
  /// nmx with these arguments, in this test's domain.
  [[nodiscard]] Arguments nmx(Arguments arguments, const Arguments& more = {}) const {
    const Arguments domain{"--device", "embedded", "--domain", path()};
    return nmx_test::nmx(std::move(arguments) + more + domain);
  }

  /// Sends and receives so many numbered packets. They must fit into the rings: whoever receives
  /// may be slow, and AF_XDP waits for nobody.
  void expect_all_arrive(int packets, const Arguments& gen, const Arguments& both,
                         const std::string& offset = "") const {
    expect_all_arrive(near() + offset, far() + offset, packets, gen, both);
  }
  void expect_all_arrive(const std::string& from, const std::string& to, int packets,
                         const Arguments& gen, const Arguments& both = {}) const {
    const Arguments numbered = both + Arguments{"-n", std::to_string(packets), "--seq", "-w", "0"};
    Command receiver(nmx({"recv", to, "--json", "--silence=20"}, numbered));
    receiver.wait_for("nmx recv: ");
    const Outcome sent = nmx_test::run(nmx({"gen", from, "--json"}, numbered + gen));
    EXPECT_EQ(sent.status, 0) << sent.err;
    EXPECT_EQ(sent.json()["packets"], packets);
    const Outcome received = receiver.finish();
    EXPECT_EQ(received.status, 0) << received.err;
    const nlohmann::json total = received.json();
    EXPECT_EQ(total["packets"], packets);
    for (const char* fault : {"lost", "duplicated", "reordered", "corrupt"}) {
      EXPECT_EQ(total[fault], 0) << fault;
    }
  }
};

TEST_F(XdpNmx, GenSendsWhatRecvReceivesInEitherMode) {
  for (const char* mode : {"native", "generic"}) {
    for (const char* bytes : {"60", "1514"}) {
      SCOPED_TRACE(std::string(mode) + ", " + bytes + " bytes");
      expect_all_arrive(1000, {"-R", "10000", "-l", bytes}, {"--xdp", mode});
    }
  }
}

TEST_F(XdpNmx, GenSendsWhatRecvReceivesAtOffsets) {
  for (const char* offset : {"@offset=64", "@offset=256"}) {
    for (const char* mode : {"native", "generic"}) {
      SCOPED_TRACE(std::string(mode) + offset);
      expect_all_arrive(1000, {"-R", "10000", "-l", "1514"}, {"--xdp", mode}, offset);
    }
  }
}

TEST_F(XdpNmx, ZeroCopyIsRefusedWhereItCannotBe) {
  const auto refusal = [&](const std::string& offset) {
    const Outcome outcome =
        nmx_test::run(nmx({"gen", near() + offset, "-n", "1", "-w", "0", "--xdp", "zero-copy"}));
    EXPECT_NE(outcome.status, 0);
    return outcome.err;
  };
  EXPECT_THAT(refusal(""), HasSubstr("open it as '" + near() + "@offset=256', or in native mode"));
  EXPECT_THAT(refusal("@offset=256"), HasSubstr("its driver has no zero-copy mode"));
}

TEST_F(XdpNmx, ASwitchHasAnInterfaceWhileThatIsServed) {
  Command server(nmx({"switch", "run", "vale0", far(), "-w", "0"}));
  server.wait_for("vale0:" + far() + "_");
  expect_all_arrive(near(), "vale0:p", 1000, {"-R", "10000"});
  expect_all_arrive("vale0:p", near(), 1000, {"-R", "10000"});
  server.signal(SIGINT);
  EXPECT_EQ(server.finish().status, 0);
}

TEST_F(XdpNmx, ThreadsHaveAQueueEach) {
  expect_all_arrive(4000, {"-R", "20000"}, {"-p", "4"});
}

TEST_F(XdpNmx, GenSendsOnEachQueue) {
  constexpr std::uint32_t each = 200;
  const Arguments four_times{"-n", std::to_string(4 * each), "-w", "0"};
  for (const Arguments& way : {Arguments{"-p", "4"}, Arguments{"-b", std::to_string(each)}}) {
    auto queues = must(open_each_ring(far(), {.device = device()}));
    ASSERT_EQ(queues.size(), 4U);
    const Outcome sent = nmx_test::run(nmx({"gen", near()}, four_times + way));
    EXPECT_EQ(sent.status, 0) << sent.err;
    for (Port& queue : queues) {
      const auto received = [&] {
        must(queue.sync_rx());
        return queue.rx_rings()[0].slots().size();
      };
      EXPECT_TRUE(embedded::await([&] { return received() >= each; })) << queue.info().name;
      EXPECT_EQ(received(), each) << queue.info().name << " " << way[0];
    }
  }
}

TEST_F(XdpNmx, EachPingIsAnsweredWhileTheRingsComeRound) {
  const Arguments all{"-n", "3000", "-w", "0"};
  Command pong(nmx({"pong", far()}, all));
  pong.wait_for("nmx pong: ");
  const Outcome pinged = nmx_test::run(nmx({"ping", near(), "--every=0", "--timeout=60s"}, all));
  EXPECT_EQ(pinged.status, 0) << pinged.err;
  EXPECT_EQ(pong.finish().status, 0);
}

TEST_F(XdpNmx, TheFirstLineAndTheTotalSayWhichModeItIs) {
  for (const char* mode : {"native", "generic"}) {
    const Outcome sent =
        nmx_test::run(nmx({"gen", near(), "-n", "1", "-w", "0", "--json", "--xdp", mode}));
    EXPECT_THAT(sent.err, HasSubstr("port '" + near() + "' by " + mode + " XDP, 4 tx rings"));
    EXPECT_EQ(sent.json()["xdp"], mode);
  }
}

/// Runs a command that finds this namespace's interfaces in /sys.
Outcome run_with_sysfs(const Arguments& command) {
  return nmx_test::run(
      Arguments{"unshare", "--mount", "sh", "-c", "mount -t sysfs none /sys && exec \"$@\"", "sh"} +
      command);
}

TEST_F(XdpNmx, GenSendsFromTheInterfacesAddress) {
  if (run_with_sysfs({"true"}).status != 0) GTEST_SKIP() << "mounting is not permitted here";
  Port port = open(far());
  const Outcome sent = run_with_sysfs(nmx({"gen", near(), "-n", "1", "-w", "0"}));
  EXPECT_EQ(sent.status, 0) << sent.err;
  ASSERT_FALSE(must(port.wait(Direction::rx, patience)).empty());
  const auto frame = (*port.rx_rings()[0].packets().begin()).front();
  std::string source;
  for (const std::byte byte : frame.subspan(6, 6)) source += fmt::format(":{:02x}", byte);
  EXPECT_THAT(shell("ip link show dev " + near()), HasSubstr("link/ether " + source.substr(1)));
}

TEST_F(XdpNmx, InfoNamesWhatOthersHaveOpen) {
  const auto info = [&] { return nmx_test::run(nmx({"info", near()})); };
  Command other(nmx({"recv", near(), "-w", "0"}));
  other.wait_for("nmx recv: ");
  const Outcome told = info();
  EXPECT_EQ(told.status, 0) << told.err;
  EXPECT_THAT(told.out, HasSubstr("open       " + near() + " by native XDP, memory id 1, by"));
  other.signal(SIGINT);
  EXPECT_EQ(other.finish().status, 0);
  EXPECT_THAT(info().out, testing::Not(HasSubstr("by native XDP, memory id")));
}

TEST_F(XdpNmx, InterruptedCommandsLeaveNoProgram) {
  for (const Arguments& arguments :
       {Arguments{"gen", near(), "-w", "0"}, Arguments{"gen", near(), "-w", "0", "-p", "4"},
        Arguments{"recv", near(), "-w", "0"}, Arguments{"bridge", near(), far(), "-w", "0"}}) {
    const std::string name = "nmx " + arguments[0];
    Command command(nmx(arguments));
    command.wait_for(name + ": ");
    EXPECT_EQ(attached_mode(near()), "native") << name;
    command.signal(SIGINT);
    const Outcome outcome = command.finish();
    EXPECT_EQ(outcome.status, 0) << name << ": " << outcome.err;
    EXPECT_EQ(attached_mode(near()), "none") << name;
    EXPECT_EQ(attached_mode(far()), "none") << name;
  }
}

// ---- Bridge -------------------------------------------------------------------------------------

/// Another network namespace, joined to this one by two interfaces.
class Elsewhere {
 public:
  /// `here` and `there` are the interfaces' names; the latter gets `address`.
  Elsewhere(const std::string& here, const std::string& there, const std::string& address)
      : here_(here) {
    EXPECT_TRUE(embedded::await([&] { return is_there_->load(); }));
    shell("ip link add " + here + " type veth peer name " + there + " netns " +
          std::to_string(keeper_.id()));
    shell("ip link set " + here + " up");
    run("ip address add " + address + " dev " + there);
    run("ip link set " + there + " up");
  }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;
  ~Elsewhere() { shell("ip link del " + here_); }

  /// What a command prints there.
  std::string run(const std::string& command) const {
    return shell("nsenter --net=/proc/" + std::to_string(keeper_.id()) + "/ns/net " + command);
  }

 private:
  std::string here_;
  Shared<std::atomic<bool>> is_there_;
  Process keeper_{[this] {
    *is_there_ = ::unshare(CLONE_NEWNET) == 0;
    for (;;) ::pause();
    return false;
  }};
};

TEST_F(XdpNmx, BridgeJoinsTwoNetworks) {
  if (std::system("command -v ping nsenter >/dev/null") != 0) {
    GTEST_SKIP() << "ping and nsenter are not installed";
  }
  const Elsewhere left("left", "outer", "192.0.2.1/24");
  const Elsewhere right("right", "outer", "192.0.2.2/24");
  for (const char* mode : {"native", "generic"}) {
    Command bridge(nmx({"bridge", "left", "right", "-w", "0", "--json", "--xdp", mode}));
    bridge.wait_for("nmx bridge: zero-copy between ");
    EXPECT_EQ(attached_mode("left"), mode);
    EXPECT_THAT(left.run("ping -c 20 -i 0.01 -w 60 192.0.2.2"), HasSubstr(" 20 received"));
    EXPECT_THAT(right.run("ping -c 20 -i 0.01 -s 1472 -w 60 192.0.2.1"), HasSubstr(" 20 received"));
    bridge.signal(SIGINT);
    const Outcome outcome = bridge.finish();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_GE(outcome.json()["forward"], 40);
    EXPECT_GE(outcome.json()["backward"], 40);
    for (const char* interface : {"left", "right"}) EXPECT_EQ(attached_mode(interface), "none");
  }
}

}  // namespace
}  // namespace netmap::xdp
