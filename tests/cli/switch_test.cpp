// SPDX-License-Identifier: BSD-2-Clause
//
// nmx switch, on the embedded device: what it lists, counts, makes, and serves.
#include "cli/domain.hpp"
#include "cli/process.hpp"

#include <netmap/netmap.hpp>

#include <gmock/gmock.h>

#include <csignal>

#include <unistd.h>

namespace nmx_test {
namespace {

using testing::HasSubstr;

class Switch : public OnEmbedded {
 protected:
  static netmap::Port open(const std::string& name) {
    auto port = netmap::open(name);
    if (!port) throw std::runtime_error(port.error().message());
    return std::move(*port);
  }
  /// Broadcasts so many frames of 60 bytes.
  static void send(netmap::Port& port, int count) {
    std::vector<std::byte> frame(60, std::byte{0xff});
    for (int i = 0; i != count; ++i) {
      if (!port.tx_rings()[0].send(frame)) throw std::runtime_error("there is no room");
    }
    if (!port.sync_tx()) throw std::runtime_error("the sync failed");
  }
  /// The one sentence of a subcommand that has to fail, behind "nmx: ".
  static std::string refusal(const Arguments& arguments) {
    const Outcome outcome = run(nmx(Arguments{"switch"} + arguments));
    EXPECT_EQ(outcome.status, 1) << outcome.err;
    const auto start = outcome.err.rfind("nmx: ");
    if (start == std::string::npos) return outcome.err;
    EXPECT_EQ(outcome.err.find('\n', start), outcome.err.size() - 1) << outcome.err;
    return outcome.err.substr(start);
  }
  static Outcome succeed(const Arguments& arguments) {
    Outcome outcome = run(nmx(Arguments{"switch"} + arguments));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome;
  }
};

TEST_F(Switch, ListsPortsWithWhatTheyMoved) {
  auto a = open("vale0:a");
  auto b = open("vale0:b@conf:rx-slots=8");
  auto elsewhere = open("vale1:c");
  auto pipe = open("vale0:a{1");
  send(a, 10);
  const auto json = succeed({"list", "vale0", "--json"}).json();
  EXPECT_EQ(json["device"], "embedded");
  EXPECT_EQ(json["domain"], domain());
  ASSERT_EQ(json["ports"].size(), 2U) << json;
  EXPECT_EQ(json["ports"][0]["name"], "vale0:a");
  EXPECT_EQ(json["ports"][0]["process"], getpid());
  EXPECT_EQ(json["ports"][0]["tx"]["packets"], 10);
  EXPECT_EQ(json["ports"][0]["tx"]["bytes"], 600);
  EXPECT_EQ(json["ports"][1]["dropped"], 3);
  EXPECT_EQ(succeed({"list", "--json"}).json()["ports"].size(), 3U);
  const Outcome human = succeed({"list"});
  EXPECT_THAT(human.err, HasSubstr("nmx switch list: embedded device, domain " + domain() + "\n"));
  EXPECT_THAT(human.out, HasSubstr("vale1:c"));
}

TEST_F(Switch, ListsNothingWhereNothingIs) {
  const Outcome outcome = succeed({"list"});
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("there are no switches"));
  EXPECT_TRUE(succeed({"list", "--json"}).json()["ports"].empty());
  EXPECT_THAT(refusal({"list", "vale7"}), HasSubstr("there is no switch 'vale7'"));
}

TEST_F(Switch, MakesAnInterfaceThatStaysAndIsTakenAwayAgain) {
  EXPECT_THAT(succeed({"create", "v0@conf:rings=2,slots=64"}).err,
              HasSubstr("made 'v0': memory id 2, rings x slots: 2 x 64 tx, 2 x 64 rx"));
  EXPECT_THAT(refusal({"create", "v0"}), HasSubstr("there is an interface of this name"));
  EXPECT_THAT(refusal({"detach", "vale0:v0"}), HasSubstr("no port of this name"));
  succeed({"attach", "vale0:v0"});
  EXPECT_EQ(succeed({"list", "--json"}).json()["ports"][0]["name"], "vale0:v0");
  EXPECT_THAT(refusal({"attach", "vale0:v0"}), HasSubstr("detach it first"));
  EXPECT_THAT(refusal({"remove", "v0"}), HasSubstr("detach it first"));
  {
    auto port = open("vale0:v0");
    EXPECT_THAT(refusal({"detach", "vale0:v0"}), HasSubstr("close it first"));
  }
  succeed({"detach", "vale0:v0"});
  EXPECT_EQ(succeed({"list", "--json"}).json()["ports"][0]["name"], "v0");
  succeed({"remove", "v0"});
  EXPECT_THAT(refusal({"remove", "v0"}), HasSubstr("there is no interface of this name"));
}

TEST_F(Switch, TellsAllAboutAPort) {
  auto a = open("vale0:a");
  const auto json = succeed({"info", "vale0:a", "--json"}).json();
  EXPECT_EQ(json["tx_slots"], 1024);
  EXPECT_EQ(json["vnet_header"], 0);
  EXPECT_EQ(json["users"][0]["process"], getpid());
  EXPECT_THAT(succeed({"info", "vale0:a"}).out, HasSubstr("port 'vale0:a', 1 tx ring"));
  EXPECT_THAT(refusal({"info", "vale0:b"}), HasSubstr("there is no VALE port 'vale0:b'"));
  EXPECT_EQ(succeed({"list", "--json"}).json()["ports"].size(), 1U) << "looking made none";
}

TEST_F(Switch, WatchesWhatMoves) {
  auto a = open("vale0:a");
  send(a, 5);
  const auto lines = succeed({"watch", "vale0", "-n", "2", "-T", "1", "--json"}).json_lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["ports"][0]["tx"]["packets"], 0) << "what was before counts not";
  EXPECT_GT(lines[1]["seconds"], 0.0);
  EXPECT_THAT(succeed({"watch", "-n", "1", "-T", "1"}).out, HasSubstr("vale0:a"));
}

TEST_F(Switch, WatchesUntilCtrlC) {
  auto a = open("vale0:a");
  Process watch(nmx({"switch", "watch"}));
  watch.wait_for("nmx switch watch: ");
  watch.signal(SIGINT);
  EXPECT_EQ(watch.finish().status, 0);
}

TEST_F(Switch, ServesAVALEInterfaceByANameOfItsOwn) {
  succeed({"create", "v0"});
  Process server(nmx({"switch", "run", "vale0", "v0"}));
  server.wait_for("nmx switch run: ");
  EXPECT_EQ(succeed({"list", "vale0", "--json"}).json()["ports"][0]["name"], "vale0:v0_");
  EXPECT_THAT(refusal({"run", "vale0:v0_", "v0"}), HasSubstr("taken by process"));
  server.signal(SIGTERM);
  EXPECT_EQ(server.finish().status, 0);
}

TEST_F(Switch, ServesOnSwitchesOnly) {
  EXPECT_THAT(refusal({"run", "switch0", "x{1"}), HasSubstr("their names begin with 'vale'"));
  EXPECT_THAT(refusal({"run", "vale-0", "x{1"}), HasSubstr("vale-0"));
  EXPECT_THAT(refusal({"run", "vale0", "eth77"}), HasSubstr("there is no interface 'eth77'"));
}

TEST_F(Switch, ServesAPortWhileItRuns) {
  Process server(nmx({"switch", "run", "vale0", "x}1", "--json"}));
  server.wait_for("nmx switch run: ");
  EXPECT_EQ(succeed({"list", "--json"}).json()["ports"][0]["name"], "vale0:x_1");
  auto near = open("x{1");
  auto far = open("vale0:far");
  send(near, 10);
  server.wait_for("pps");
  ASSERT_TRUE(far.sync_rx());
  EXPECT_EQ(far.rx_rings()[0].slots().size(), 10U);
  server.signal(SIGINT);
  const Outcome served = server.finish();
  EXPECT_EQ(served.status, 0) << served.err;
  EXPECT_EQ(served.json()["forward"], 10);
  EXPECT_EQ(served.json()["command"], "switch run");
}

}  // namespace
}  // namespace nmx_test
