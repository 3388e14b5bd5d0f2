// SPDX-License-Identifier: BSD-2-Clause
//
// nmx gen and nmx recv at the two ends of a pipe, two processes.
#include "cli/domain.hpp"
#include "cli/process.hpp"

#include <gmock/gmock.h>

#include <csignal>

namespace nmx_test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t count = 20'000;

Arguments sender(const Arguments& more = {}) {
  return nmx(Arguments{"gen", "netmap:x{1", "-n", std::to_string(count), "--seq", "--json"} + more);
}
Arguments receiver(const Arguments& more = {}) {
  return nmx(Arguments{"recv", "netmap:x}1", "-n", std::to_string(count), "--seq", "--json"} +
             more);
}

void expect_clean(const Outcome& received) {
  EXPECT_EQ(received.status, 0) << received.err;
  const auto json = received.json();
  EXPECT_EQ(json["packets"], count);
  for (const char* fault : {"lost", "duplicated", "reordered", "corrupt", "foreign"}) {
    EXPECT_EQ(json[fault], 0) << fault;
  }
}

class Transfer : public OnEmbedded, public testing::WithParamInterface<Arguments> {};

TEST_P(Transfer, ReceiverFirst) {
  Process in(receiver());
  in.wait_for("nmx recv: ");
  const Outcome sent = run(sender(GetParam()));
  const Outcome received = in.finish();
  EXPECT_EQ(sent.status, 0) << sent.err;
  EXPECT_EQ(sent.json()["packets"], count);
  EXPECT_EQ(sent.json()["bytes"], received.json()["bytes"]);
  expect_clean(received);
}

TEST_P(Transfer, SenderFirst) {
  Process out(sender(GetParam()));
  out.wait_for("nmx gen: ");
  const Outcome received = run(receiver());
  EXPECT_EQ(out.finish().status, 0);
  expect_clean(received);
}

INSTANTIATE_TEST_SUITE_P(
    , Transfer,
    testing::Values(Arguments{"-l", "60"}, Arguments{"-l", "64"}, Arguments{"-l", "1500"},
                    Arguments{"-l", "9000"}, Arguments{"-l", "9000", "-l", "60"},
                    Arguments{"-l", "58"}, Arguments{"-F", "3"}, Arguments{"-F", "58", "-l", "58"},
                    Arguments{"-F", "4", "-l", "1500", "-l", "64"}, Arguments{"-b", "1"},
                    Arguments{"-b", "5000"}, Arguments{"-z", "-Z"},
                    Arguments{"-s", "10.0.0.1:1-10.0.0.9:9", "-d", "10.1.0.1-10.1.0.4"},
                    Arguments{"-S", "02:00:00:00:00:09", "-D", "02:00:00:00:00:0a"},
                    Arguments{"-R", "100000"}));

using Nmx = OnEmbedded;

TEST_F(Nmx, OneThreadPerRingAtBothEnds) {
  Process out(
      nmx({"gen", "x{1@conf:rings=2", "-p", "2", "-a", "0", "-n", "20001", "--seq", "--json"}));
  out.wait_for("nmx gen: ");
  const Outcome received = run(nmx({"recv", "x}1", "-p", "2", "-n", "20001", "--seq", "--json"}));
  EXPECT_EQ(received.status, 0) << received.err;
  EXPECT_EQ(received.json()["packets"], 20'001);
  EXPECT_EQ(out.finish().json()["packets"], 20'001);
}

TEST_F(Nmx, TwoSendingThreadsAndOneReceiver) {
  Process out(nmx({"gen", "x{1@conf:rings=2", "-p", "2", "-n", "20000", "--seq"}));
  out.wait_for("nmx gen: ");
  EXPECT_EQ(run(nmx({"recv", "x}1", "-n", "20000", "--seq"})).status, 0);
  EXPECT_EQ(out.finish().status, 0);
}

TEST_F(Nmx, OneSendingThreadOverTwoRingsAndTwoReceivers) {
  Process out(nmx({"gen", "x{1@conf:rings=2", "-n", "20000"}));
  out.wait_for("nmx gen: ");
  EXPECT_EQ(run(nmx({"recv", "x}1", "-p", "2", "-n", "20000"})).status, 0);
  EXPECT_EQ(out.finish().status, 0);
}

TEST_F(Nmx, WhoeverComesTakesAFreeEndOfThePipe) {
  Process in(nmx({"recv", "x{1}", "-n", "1000", "--seq"}));
  in.wait_for("port 'x{1'");
  EXPECT_EQ(run(nmx({"gen", "x{1}", "-n", "1000", "--seq"})).status, 0);
  EXPECT_EQ(in.finish().status, 0);
}

TEST_F(Nmx, ThePortMayBeAnOptionAsInPktGen) {
  Process in(nmx({"recv", "-i", "netmap:x}1", "-n", "10"}));
  in.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"gen", "-i", "netmap:x{1", "-n", "10"})).status, 0);
  EXPECT_EQ(in.finish().status, 0);
}

TEST_F(Nmx, UnnumberedPacketsAreCountedToo) {
  Process in(nmx({"recv", "x}1", "-n", "5000", "--json"}));
  in.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"gen", "x{1", "-n", "5000", "-l", "9000"})).status, 0);
  const auto json = in.finish().json();
  EXPECT_EQ(json["packets"], 5000);
  EXPECT_EQ(json["bytes"], 5000 * 9000);
  EXPECT_FALSE(json.contains("lost"));
}

TEST_F(Nmx, UnnumberedPacketsAreForeignToACheckingReceiver) {
  Process in(nmx({"recv", "x}1", "--seq", "-W", "--json"}));
  in.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"gen", "x{1", "-n", "500", "-l", "40"})).status, 0);
  in.signal(SIGINT);
  const Outcome received = in.finish();
  EXPECT_EQ(received.status, 0);
  EXPECT_THAT(received.err, HasSubstr("no numbered packet came to be checked"));
  EXPECT_EQ(received.json()["packets"], 0);
  EXPECT_EQ(received.json()["foreign"], 500);
}

TEST_F(Nmx, FaultsHappenAndAreCounted) {
  Process in(nmx({"recv", "x}1", "--fault", "drop=1", "--json"}));
  in.wait_for("nmx recv: ");
  const Outcome sent = run(nmx({"gen", "x{1", "-n", "500", "--fault", "duplicate=1"}));
  EXPECT_EQ(sent.status, 0) << sent.err;
  EXPECT_NE(sent.err.find("faults: 500 duplicated\n"), std::string::npos) << sent.err;
  in.signal(SIGINT);
  const Outcome received = in.finish();
  EXPECT_EQ(received.json()["packets"], 0);
  EXPECT_NE(received.err.find("faults: 1000 dropped\n"), std::string::npos) << received.err;
}

TEST_F(Nmx, TheReceiverStopsAfterSilence) {
  Process in(nmx({"recv", "x}1", "--silence=0.2", "--seq", "--json"}));
  in.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"gen", "x{1", "-n", "1000", "--seq"})).status, 0);
  const Outcome received = in.finish();
  EXPECT_EQ(received.status, 0) << received.err;
  EXPECT_EQ(received.json()["packets"], 1000);
}

TEST_F(Nmx, SilenceBeforeTheCountIsAFailure) {
  Process in(nmx({"recv", "x}1", "-W", "-n", "1001"}));
  in.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"gen", "x{1", "-n", "1000"})).status, 0);
  const Outcome received = in.finish();
  EXPECT_EQ(received.status, 1);
  EXPECT_THAT(received.err, HasSubstr("nmx: stopped after 1000 of 1001 packets"));
}

TEST_F(Nmx, SaysWhereItIsAndThatItIsAlone) {
  Process in(nmx({"recv", "x}1"}));
  in.wait_for("nothing has moved yet: waiting for a peer at the other end, 'netmap:x{1'\n");
  in.signal(SIGINT);
  EXPECT_THAT(in.finish().err,
              HasSubstr("nmx recv: embedded device, domain " + domain() +
                        ", port 'x}1', 1 tx ring of 1024 slots, 1 rx ring of 1024 slots\n"));
}

TEST_F(Nmx, DoesNotSayItIsAloneWhenItIsNot) {
  Process in(nmx({"recv", "x}1"}));
  in.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"gen", "x{1", "-n", "100"})).status, 0);
  in.wait_for("pps");
  in.signal(SIGTERM);
  const Outcome received = in.finish();
  EXPECT_EQ(received.status, 0);
  EXPECT_THAT(received.err, Not(HasSubstr("nothing has moved")));
}

TEST_F(Nmx, CtrlCEndsAWaitingReceiver) {
  Process in(nmx({"recv", "x}1", "--json"}));
  in.wait_for("nmx recv: ");
  in.signal(SIGINT);
  const Outcome received = in.finish();
  EXPECT_EQ(received.status, 0);
  EXPECT_EQ(received.json()["packets"], 0);
}

TEST_F(Nmx, CtrlCEndsASenderWhichSaysWhatNobodyTook) {
  Process out(nmx({"gen", "x{1", "--json"}));
  out.wait_for("nothing has moved");
  out.signal(SIGINT);
  const Outcome sent = out.finish();
  EXPECT_EQ(sent.status, 0);
  EXPECT_THAT(sent.err, HasSubstr("1023 slots were sent, but nobody has taken them\n"));
  EXPECT_EQ(sent.json()["packets"], 1023);
}

TEST_F(Nmx, CtrlCBeforeTheCountIsAFailure) {
  Process out(nmx({"gen", "x{1", "-n", "5000"}));
  out.wait_for("nothing has moved");
  out.signal(SIGINT);
  const Outcome sent = out.finish();
  EXPECT_EQ(sent.status, 1);
  EXPECT_THAT(sent.err, HasSubstr("nmx: stopped after 1023 of 5000 packets\n"));
}

TEST_F(Nmx, PacketsThatWaitedForAPeerAreNotLost) {
  Process out(nmx({"gen", "x{1", "-n", "100", "--seq"}));
  out.wait_for("nothing has moved");
  EXPECT_EQ(run(nmx({"recv", "x}1", "-n", "100", "--seq"})).status, 0);
  EXPECT_EQ(out.finish().status, 0);
}

TEST_F(Nmx, JsonLinesHaveEveryIntervalAndTheTotal) {
  Process in(nmx({"recv", "x}1", "--seq", "--json=lines", "-T", "10", "-n", "3000"}));
  in.wait_for("pps");
  EXPECT_EQ(run(nmx({"gen", "x{1", "-n", "3000", "--seq"})).status, 0);
  const auto lines = in.finish().json_lines();
  ASSERT_GE(lines.size(), 2);
  std::uint64_t packets = 0;
  for (const auto& line : lines) {
    for (const char* field : {"port", "device", "packets", "bytes", "seconds", "pps", "batches",
                              "lost", "duplicated", "reordered", "corrupt"}) {
      EXPECT_TRUE(line.contains(field)) << field;
    }
    if (line["event"] == "interval") packets += line["packets"].get<std::uint64_t>();
  }
  EXPECT_LE(packets, 3000);  // what came after the last interval is in the total only
  EXPECT_EQ(lines.back()["event"], "total");
  EXPECT_EQ(lines.back()["packets"], 3000);
  EXPECT_EQ(lines.back()["port"], "x}1");
  EXPECT_EQ(lines.back()["device"], "embedded");
}

TEST_F(Nmx, BridgesTwoPipesByCopying) {
  Process bridge(nmx({"bridge", "x}1", "y{1", "--json"}));
  bridge.wait_for("nmx bridge: copy between ");
  Process in(nmx({"recv", "y}1", "-n", "20000", "--seq"}));
  in.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"gen", "x{1", "-n", "20000", "--seq", "-l", "5000", "-l", "60"})).status, 0);
  EXPECT_EQ(in.finish().status, 0);
  bridge.signal(SIGINT);
  const Outcome bridged = bridge.finish();
  EXPECT_EQ(bridged.status, 0) << bridged.err;
  EXPECT_EQ(bridged.json()["packets"], 20'000);
  EXPECT_EQ(bridged.json()["forward"], 20'000);
  EXPECT_EQ(bridged.json()["backward"], 0);
  EXPECT_EQ(bridged.json()["zero_copy"], false);
}

TEST_F(Nmx, BridgesPipesOfOneRegionWithoutCopyingBothWays) {
  Process bridge(nmx({"bridge", "-i", "x}1", "-i", "x{2", "-b", "64", "--silence=0.5", "--json"}));
  bridge.wait_for("nmx bridge: zero-copy between ");
  Process there(nmx({"recv", "x}2/R", "-n", "5000", "--seq"}));
  Process back(nmx({"recv", "x{1/R", "-n", "7000", "--seq"}));
  there.wait_for("nmx recv: ");
  back.wait_for("nmx recv: ");
  Process one(nmx({"gen", "x{1/T", "-n", "5000", "--seq", "-F", "3"}));
  Process two(nmx({"gen", "x}2/T", "-n", "7000", "--seq"}));
  EXPECT_EQ(there.finish().status, 0);
  EXPECT_EQ(back.finish().status, 0);
  EXPECT_EQ(one.finish().status, 0);
  EXPECT_EQ(two.finish().status, 0);
  const Outcome bridged = bridge.finish();
  EXPECT_EQ(bridged.status, 0) << bridged.err;
  EXPECT_EQ(bridged.json()["forward"], 5000);
  EXPECT_EQ(bridged.json()["backward"], 7000);
  EXPECT_EQ(bridged.json()["zero_copy"], true);
}

TEST_F(Nmx, BridgesAPortToItself) {
  Process loop(nmx({"bridge", "x}1", "--loop", "--json"}));
  loop.wait_for("nmx bridge: zero-copy between ");
  EXPECT_EQ(run(nmx({"ping", "x{1", "-n", "50", "--every", "0"})).status, 0);
  loop.signal(SIGINT);
  const Outcome looped = loop.finish();
  EXPECT_EQ(looped.status, 0) << looped.err;
  EXPECT_EQ(looped.json()["forward"], 50);
  EXPECT_EQ(looped.json()["backward"], 0);
}

TEST_F(Nmx, TheDemoShowsAllIsWellAndLeavesNothing) {
  const Outcome shown = run(nmx({"demo"}));
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("0 lost, 0 duplicated, 0 reordered, 0 corrupt"));
  EXPECT_THAT(shown.err, HasSubstr("domain " + domain() + "/nmx-demo-"));
  EXPECT_TRUE(std::filesystem::is_empty(domain()));
}

TEST_F(Nmx, CtrlCEndsTheDemoAndLeavesNothing) {
  Process demo(nmx({"demo"}));
  demo.wait_for("pps");
  demo.signal(SIGINT);
  (void)demo.finish();
  EXPECT_TRUE(std::filesystem::is_empty(domain()));
}

TEST_F(Nmx, InfoSaysWhatIsHere) {
  const Outcome told = run(nmx({"info", "x{1", "--json"}));
  EXPECT_EQ(told.status, 0) << told.err;
  const auto json = told.json();
  EXPECT_EQ(json["device"], "embedded");
  EXPECT_EQ(json["domain"], domain());
  EXPECT_EQ(json["port"]["tx_rings"], 1);
  EXPECT_EQ(json["port"]["rx_slots"], 1024);
  EXPECT_TRUE(json["interfaces"].is_array());
  EXPECT_TRUE(json["module"]["loaded"].is_boolean());
  const Outcome human = run(nmx({"info"}));
  EXPECT_EQ(human.status, 0);
  EXPECT_THAT(human.out, HasSubstr("device     embedded\ndomain     " + domain()));
}

}  // namespace
}  // namespace nmx_test
