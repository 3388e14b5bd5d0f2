// SPDX-License-Identifier: BSD-2-Clause
//
// nmx ping at one end of a pipe; at the other nmx pong, or this test, or nobody.
#include "cli/domain.hpp"
#include "cli/process.hpp"

#include <netmap/netmap.hpp>

#include <gmock/gmock.h>

#include <csignal>
#include <functional>

namespace nmx_test {
namespace {

using netmap::Direction;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr auto patience = 60s;

Arguments ping(const Arguments& more) {
  return nmx(Arguments{"ping", "netmap:x{1", "--json"} + more);
}

void expect_all_answered(const Outcome& pinged, std::uint64_t count) {
  EXPECT_EQ(pinged.status, 0) << pinged.err;
  const auto json = pinged.json();
  EXPECT_EQ(json["sent"], count);
  EXPECT_EQ(json["answered"], count);
  for (const char* fault : {"lost", "without_room", "duplicate", "late"}) {
    EXPECT_EQ(json[fault], 0) << fault;
  }
}

/// Time-outs of a minute: nothing is lost because a machine is slow.
class PingAndPong : public OnEmbedded, public testing::WithParamInterface<Arguments> {};

TEST_P(PingAndPong, EveryPingIsAnswered) {
  Process pong(nmx({"pong", "netmap:x}1", "-n", "2000", "--json"}));
  pong.wait_for("nmx pong: ");
  const Outcome pinged = run(ping(GetParam() + Arguments{"-n", "2000", "--timeout", "60s"}));
  expect_all_answered(pinged, 2000);
  const auto times = pinged.json()["round_trip_ns"];
  std::uint64_t before = 0;
  for (const char* percentile : {"min", "p50", "p90", "p99", "p99.9", "max"}) {
    EXPECT_GE(times[percentile], before) << percentile;
    before = times[percentile];
  }
  EXPECT_GT(times["min"], 0);
  const Outcome ponged = pong.finish();
  EXPECT_EQ(ponged.status, 0) << ponged.err;
  EXPECT_EQ(ponged.json()["packets"], 2000);
  EXPECT_EQ(ponged.json()["ignored"], 0);
}

INSTANTIATE_TEST_SUITE_P(
    , PingAndPong,
    testing::Values(Arguments{"--every", "0"}, Arguments{"--every", "0", "--outstanding", "16"},
                    Arguments{"--every", "0", "--outstanding", "5000"},
                    Arguments{"--every", "100us"}, Arguments{"--every", "1ns"},
                    Arguments{"--every", "10us", "--outstanding", "1"},
                    Arguments{"--every", "0", "--spin=0"}, Arguments{"--every", "0", "--spin"},
                    Arguments{"--every", "0", "-l", "54"}, Arguments{"--every", "0", "-l", "9000"},
                    Arguments{"--every", "0", "-l", "65535", "--outstanding", "100"},
                    Arguments{"--every", "0", "-D", "02:00:00:00:00:09"}));

using Ping = OnEmbedded;

TEST_F(Ping, TheHistogramHasEveryRoundTripAndTheTotalIsTheSumOfIntervals) {
  Process pong(nmx({"pong", "x}1"}));
  pong.wait_for("nmx pong: ");
  const Outcome pinged = run(nmx(
      {"ping", "x{1", "-n", "300", "-T", "50", "--histogram", "--timeout", "60s", "--json=lines"}));
  EXPECT_EQ(pinged.status, 0) << pinged.err;
  const auto lines = pinged.json_lines();
  ASSERT_GE(lines.size(), 2);
  for (const auto& line : lines) {
    std::uint64_t count = 0;
    for (const auto& bucket : line["histogram"]) count += bucket["count"].get<std::uint64_t>();
    EXPECT_EQ(count, line["answered"]);
  }
  EXPECT_EQ(lines.front()["event"], "interval");
  EXPECT_EQ(lines.back()["event"], "total");
  EXPECT_EQ(lines.back()["answered"], 300);
  EXPECT_GE(lines.back()["sent_late_ns"]["max"], 0);
  EXPECT_THAT(pinged.err, HasSubstr(" answers  µs: min "));
  EXPECT_THAT(pinged.err, HasSubstr("#\n"));
  EXPECT_THAT(pinged.err, HasSubstr("\n300 sent, 300 answered, 0 lost, 0 duplicate, 0 late\n"));
  EXPECT_THAT(pinged.err, HasSubstr("\nsent late  µs: min "));
}

TEST_F(Ping, AnsweredWithoutAnIntervalThereIsNoLateness) {
  Process pong(nmx({"pong", "x}1"}));
  pong.wait_for("nmx pong: ");
  const Outcome pinged = run(ping({"-n", "10", "--every", "0", "--timeout", "60s"}));
  EXPECT_TRUE(pinged.json()["sent_late_ns"].is_null());
  EXPECT_THAT(pinged.err, Not(HasSubstr("sent late")));
}

TEST_F(Ping, WithoutAPongEveryPingIsLost) {
  const Outcome pinged = run(ping({"-n", "3", "--every", "0", "--timeout", "1ms"}));
  EXPECT_EQ(pinged.status, 1);
  EXPECT_EQ(pinged.json()["sent"], 3);
  EXPECT_EQ(pinged.json()["lost"], 3);
  EXPECT_TRUE(pinged.json()["round_trip_ns"].is_null());
}

TEST_F(Ping, PingsBeyondTheRingAreLostTooAndSaidNotToHaveLeft) {
  for (const Arguments& load :
       {Arguments{"--every", "1us"}, Arguments{"--every", "0", "--outstanding", "1500"}}) {
    const Outcome pinged = run(ping(load + Arguments{"-n", "2000", "--timeout", "10ms"}));
    EXPECT_EQ(pinged.status, 1);
    EXPECT_EQ(pinged.json()["lost"], 2000);
    EXPECT_EQ(pinged.json()["without_room"], 2000 - 1023);
    EXPECT_THAT(pinged.err, HasSubstr("977 never left: nobody took what was in the ring\n"));
  }
}

TEST_F(Ping, APongThatIsKilledLeavesLostPings) {
  Process pong(nmx({"pong", "x}1"}));
  pong.wait_for("nmx pong: ");
  Process pinging(ping({"-T", "20", "--timeout", "100ms", "--every", "2ms"}));
  pinging.wait_for(" answers  ");
  pong.signal(SIGKILL);
  (void)pong.finish();
  pinging.wait_for("lost");
  pinging.signal(SIGINT);
  const Outcome pinged = pinging.finish();
  EXPECT_EQ(pinged.status, 1) << pinged.err;
  const auto json = pinged.json();
  EXPECT_GT(json["answered"], 0);
  EXPECT_GT(json["lost"], 0);
  EXPECT_EQ(json["answered"].get<int>() + json["lost"].get<int>(), json["sent"].get<int>());
}

TEST_F(Ping, AfterCtrlCAnswersOnTheirWayStillCount) {
  Process pong(nmx({"pong", "x}1"}));
  pong.wait_for("nmx pong: ");
  Process pinging(ping({"-T", "20", "--every", "0", "--timeout", "60s"}));
  pinging.wait_for(" answers  ");
  pinging.signal(SIGINT);
  const Outcome pinged = pinging.finish();
  expect_all_answered(pinged, pinged.json()["sent"]);
  EXPECT_GT(pinged.json()["sent"], 0);
  pong.signal(SIGINT);
  const Outcome ponged = pong.finish();
  EXPECT_EQ(ponged.status, 0);
  EXPECT_THAT(ponged.err, HasSubstr("\nanswered " + pinged.json()["sent"].dump() + " packets"));
}

TEST_F(Ping, CtrlCBeforeTheCountIsAFailure) {
  Process pong(nmx({"pong", "x}1", "-n", "1000"}));
  pong.wait_for("nothing has moved yet");
  pong.signal(SIGINT);
  const Outcome ponged = pong.finish();
  EXPECT_EQ(ponged.status, 1);
  EXPECT_THAT(ponged.err, HasSubstr("nmx: stopped after 0 of 1000 packets\n"));
  Process pinging(ping({"-n", "1000", "--every", "3600s", "--timeout", "1ms"}));
  pinging.wait_for("nothing has moved yet");
  pinging.signal(SIGINT);
  const Outcome pinged = pinging.finish();
  EXPECT_EQ(pinged.status, 1);
  EXPECT_THAT(pinged.err, HasSubstr("nmx: stopped after 1 of 1000 packets\n"));
}

/// The other end in this test's hands.
class ByHand : public OnEmbedded {
 protected:
  using Bytes = std::vector<std::byte>;

  Bytes receive() {
    Bytes packet(100);
    while (port_.rx_rings()[0].packets().empty()) {
      const auto ready = port_.wait(Direction::rx, patience);
      if (!ready || ready->empty()) throw std::runtime_error("nothing came");
    }
    packet.resize(port_.rx_rings()[0].receive(packet).value());
    return packet;
  }
  void send(const Bytes& packet) {
    ASSERT_TRUE(port_.tx_rings()[0].send(packet));
    ASSERT_TRUE(port_.sync_tx());
  }
  netmap::Port& port() { return port_; }

 private:
  netmap::Port port_ = netmap::open("x}1").value();
};

TEST_F(ByHand, AnAnswerThatComesTwiceIsADuplicate) {
  Process pinging(ping({"-n", "2", "--every", "0", "--timeout", "60s"}));
  const Bytes first = receive();
  send(first);
  send(first);
  send(receive());
  const Outcome pinged = pinging.finish();
  EXPECT_EQ(pinged.status, 0) << pinged.err;
  EXPECT_EQ(pinged.json()["answered"], 2);
  EXPECT_EQ(pinged.json()["duplicate"], 1);
}

TEST_F(ByHand, AnAnswerAfterTheTimeOutIsLate) {
  Process pinging(ping({"-T", "10", "--every", "1ms", "--timeout", "20ms"}));
  const Bytes first = receive();
  pinging.wait_for("lost");
  send(first);
  pinging.wait_for("late");
  pinging.signal(SIGINT);
  const Outcome pinged = pinging.finish();
  EXPECT_EQ(pinged.status, 1);
  EXPECT_EQ(pinged.json()["answered"], 0);
  EXPECT_EQ(pinged.json()["late"], 1);
}

TEST_F(ByHand, PingTakesNothingElseForAnAnswer) {
  Process pinging(ping({"-n", "1", "--timeout", "60s"}));
  const Bytes asked = receive();
  send(Bytes(60));
  send(Bytes(14));
  Bytes other_run = asked;
  other_run[50] ^= std::byte{1};
  send(other_run);
  Bytes never_sent = asked;
  never_sent[42] ^= std::byte{1};
  send(never_sent);
  send(asked);
  expect_all_answered(pinging.finish(), 1);
}

/// nmx pong takes the pipe's other end.
using Pong = OnEmbedded;

TEST_F(Pong, AnswersUdpOnlyInOrderAndWithoutCopying) {
  auto port = netmap::open("x{1").value();
  Process pong(nmx({"pong", "x}1", "-n", "2", "--json"}));
  pong.wait_for("nmx pong: ");
  std::vector<std::byte> packet(60);
  auto& tx = port.tx_rings()[0];
  ASSERT_TRUE(tx.send(packet));  // no UDP
  packet[12] = std::byte{8};
  packet[14] = std::byte{0x45};
  packet[23] = std::byte{17};
  for (std::size_t i = 0; i < 12; ++i) packet[i] = static_cast<std::byte>(2 * i);
  ASSERT_TRUE(tx.send(packet));
  ASSERT_TRUE(tx.send(std::vector<std::byte>(41, std::byte{17})));  // too short
  const std::uint32_t buffer = (*(tx.slots().begin())).buffer_index();
  packet[59] = std::byte{9};
  ASSERT_TRUE(tx.send(packet));
  ASSERT_TRUE(port.sync_tx());
  const Outcome ponged = pong.finish();
  EXPECT_EQ(ponged.status, 0) << ponged.err;
  EXPECT_EQ(ponged.json()["packets"], 2);
  EXPECT_EQ(ponged.json()["ignored"], 2);
  EXPECT_THAT(ponged.err, HasSubstr("2 packets were not UDP over IPv4, and not answered\n"));
  ASSERT_TRUE(port.sync_rx());
  const auto answers = port.rx_rings()[0].slots();
  ASSERT_EQ(answers.size(), 2);
  EXPECT_EQ(answers[0].bytes()[59], std::byte{0});
  EXPECT_EQ(answers[0].bytes()[0], std::byte{12});
  EXPECT_EQ(answers[0].bytes()[6], std::byte{0});
  EXPECT_EQ(answers[1].bytes()[59], std::byte{9});
  EXPECT_EQ(answers[1].buffer_index(), buffer);
}

}  // namespace
}  // namespace nmx_test
