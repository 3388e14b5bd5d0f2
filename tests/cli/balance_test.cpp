// SPDX-License-Identifier: BSD-2-Clause
//
// nmx balance between a sender and its readers, every one a process.
#include "cli/domain.hpp"
#include "cli/process.hpp"

#include "nmx/flow_hash.hpp"
#include "nmx/frame.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <memory>

namespace nmx_test {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t ring = 1023;  ///< what a pipe takes that nobody reads

/// An address from which nmx gen sends to this one of two pipes.
std::string source_for(std::uint64_t pipe) {
  nmx::HeaderBuilder header({2, 0, 0, 0, 0, 1}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  for (std::uint32_t last = 1; last != 255; ++last) {
    const nmx::Endpoint source{0x0a000000 + last, 1234};
    header.set({source, {0x0a010001, 1234}}, 60);
    const std::uint64_t hash = nmx::flow_of(header.bytes()).hash;
    if (hash * 2 >> 32 == pipe) return "10.0.0." + std::to_string(last);
  }
  throw std::logic_error("no flow goes there");
}

class Balance : public OnEmbedded {
 protected:
  static Arguments balancer(const Arguments& more) {
    return nmx(Arguments{"balance", "netmap:in}1", "--json"} + more);
  }
  static std::unique_ptr<Process> start(const Arguments& more) {
    auto process = std::make_unique<Process>(balancer(more));
    process->wait_for("nmx balance: ");
    return process;
  }
  static std::unique_ptr<Process> reader(const std::string& port, const Arguments& more = {}) {
    auto process =
        std::make_unique<Process>(nmx(Arguments{"recv", port, "--seq", "--json"} + more));
    process->wait_for("nmx recv: ");
    return process;
  }
  static void send(std::uint64_t count, const Arguments& more = {}) {
    const Outcome sent =
        run(nmx(Arguments{"gen", "netmap:in{1", "--seq", "-n", std::to_string(count)} + more));
    ASSERT_EQ(sent.status, 0) << sent.err;
  }
  static nlohmann::json stop(Process& process) {
    process.signal(SIGINT);
    const Outcome outcome = process.finish();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.json();
  }
  /// Of a reader that sees a part of the numbers, so that its status is 1.
  static nlohmann::json end_reader(Process& process) {
    process.signal(SIGINT);
    return process.finish().json();
  }
  static void expect_in_order(const nlohmann::json& received) {
    for (const char* fault : {"duplicated", "reordered", "corrupt", "foreign"}) {
      EXPECT_EQ(received[fault], 0) << fault;
    }
  }
};

TEST_F(Balance, EveryPacketReachesOneReaderInOrder) {
  const auto balance = start({"--pipes", "out:2", "-n", "2000", "--overflow", "4000"});
  const auto first = reader("out}0");
  const auto second = reader("out}1");
  send(2000, {"-s", "10.0.0.1-10.0.0.250", "-F", "2"});
  const auto done = balance->finish().json();
  EXPECT_EQ(done["packets"], 2000);
  EXPECT_EQ(done["forwarded"], 2000);
  EXPECT_EQ(done["dropped"], 0);
  EXPECT_EQ(done["non_ip"], 0);
  std::size_t n = 0;
  for (Process* one : {first.get(), second.get()}) {
    const auto received = end_reader(*one);
    EXPECT_EQ(received["packets"], done["pipes"][n]["forwarded"]);
    EXPECT_GT(received["packets"], 500);
    expect_in_order(received);
    ++n;
  }
}

TEST_F(Balance, BothWaysOfAFlowGoToOneReader) {
  const auto balance = start({"--pipes", "out:2", "-n", "200"});
  const auto first = reader("out}0");
  const auto second = reader("out}1");
  const std::string here = source_for(1);
  send(100, {"-s", here + ":5", "-d", "10.1.0.1:6"});
  send(100, {"-s", "10.1.0.1:6", "-d", here + ":5"});
  const auto done = balance->finish().json();
  const std::uint64_t share = done["pipes"][0]["forwarded"];
  EXPECT_TRUE(share == 0 || share == 200) << share;
  EXPECT_EQ(stop(*first)["packets"], share);
  EXPECT_EQ(stop(*second)["packets"], 200 - share);
}

TEST_F(Balance, ACaptureEndsItHoweverItLooks) {
  const std::string file = domain() + "/in.pcap";
  ASSERT_EQ(run(nmx({"gen", "pcap:tx=" + file, "-n", "500"})).status, 0);
  const Outcome done =
      run(nmx({"balance", "pcap:" + file, "--pipes", "out:1", "--spin", "--json"}));
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(done.json()["forwarded"], 500);
}

TEST_F(Balance, APipeThatNobodyReadsLosesItsOwnPacketsOnly) {
  const auto balance = start({"--pipes", "out:2"});
  send(3000, {"-s", source_for(0)});
  send(1000, {"-s", source_for(1)});
  const auto second = reader("out}1", {"-n", "1000"});
  const Outcome received = second->finish();
  EXPECT_EQ(received.status, 0) << received.err;
  expect_in_order(received.json());
  const auto done = stop(*balance);
  EXPECT_EQ(done["pipes"][0]["forwarded"], ring);
  EXPECT_EQ(done["pipes"][0]["dropped"], 3000 - ring);
  EXPECT_EQ(done["pipes"][1]["forwarded"], 1000);
  EXPECT_EQ(done["pipes"][1]["dropped"], 0);
}

TEST_F(Balance, OverflowKeepsTheNewestOfWhatAPipeHasNoRoomFor) {
  const auto balance = start({"--pipes", "out:2", "--overflow", "500"});
  send(3000, {"-s", source_for(0)});
  send(1000, {"-s", source_for(1)});
  const auto first = reader("out}0", {"-n", std::to_string(ring + 500)});
  const auto second = reader("out}1", {"-n", "1000"});
  const auto late = first->finish().json();
  expect_in_order(late);
  EXPECT_EQ(late["lost"], 3000 - ring - 500);
  EXPECT_EQ(second->finish().json()["packets"], 1000);
  const auto done = stop(*balance);
  EXPECT_EQ(done["pipes"][0]["forwarded"], ring + 500);
  EXPECT_EQ(done["pipes"][0]["dropped"], 3000 - ring - 500);
  EXPECT_EQ(done["pipes"][1]["dropped"], 0);
  EXPECT_EQ(done["free_buffers"], 500);
}

TEST_F(Balance, WhatIsQueuedAtTheEndIsSaid) {
  const auto balance = start({"--pipes", "out:2", "--overflow", "500"});
  send(2000, {"-s", source_for(0)});
  const auto done = stop(*balance);
  EXPECT_EQ(done["packets"], 2000);
  EXPECT_EQ(done["queued"], 500);
  EXPECT_EQ(done["free_buffers"], 0);
  EXPECT_EQ(done["forwarded"], ring);
  EXPECT_EQ(done["dropped"], 2000 - ring - 500);
}

TEST_F(Balance, WhatOneGroupHasReadGoesOnToTheNextToTheLastPacket) {
  const auto balance =
      start({"--pipes", "a:2", "--pipes", "b:1", "-n", "1000", "--overflow", "3000"});
  const auto first = reader("a}0");
  const auto second = reader("a}1");
  const auto last = reader("b}0", {"-n", "1000"});
  send(1000, {"-F", "3"});
  const auto all = last->finish().json();
  EXPECT_EQ(all["packets"], 1000);
  EXPECT_EQ(all["lost"], 0);
  expect_in_order(all);
  const auto done = balance->finish().json();
  EXPECT_EQ(done["forwarded"], 2000);
  EXPECT_EQ(done["pipes"][2]["forwarded"], 1000);
  EXPECT_EQ(static_cast<std::uint64_t>(stop(*first)["packets"]) +
                static_cast<std::uint64_t>(stop(*second)["packets"]),
            1000);
}

TEST_F(Balance, OneThatWasKilledIsReplacedUnderSenderAndReaders) {
  auto balance = start({"--pipes", "out:2", "--overflow", "100", "-T", "10"});
  const auto first = reader("out}0");
  const auto second = reader("out}1");
  Process sender(nmx({"gen", "netmap:in{1", "--seq", "-s", "10.0.0.1-10.0.0.250", "-R", "100000"}));
  sender.wait_for("nmx gen: ");
  for (int life = 0; life != 3; ++life) {
    balance->wait_for("kpps");  // packets have moved
    balance->signal(SIGKILL);
    EXPECT_EQ(balance->finish().status, 128 + SIGKILL);
    balance = start({"--pipes", "out:2", "--overflow", "100", "-T", "10"});
  }
  balance->wait_for("pps");
  const auto done = stop(*balance);
  EXPECT_EQ(done["packets"], static_cast<std::uint64_t>(done["forwarded"]) +
                                 static_cast<std::uint64_t>(done["dropped"]) +
                                 static_cast<std::uint64_t>(done["queued"]));
  sender.signal(SIGINT);
  sender.finish();
  for (Process* one : {first.get(), second.get()}) {
    const auto received = end_reader(*one);
    EXPECT_GT(received["packets"], 0);
    EXPECT_EQ(received["corrupt"], 0);
    EXPECT_EQ(received["foreign"], 0);
  }
}

TEST_F(Balance, GivesBackWhatItReceivedLast) {
  const auto balance = start({"--pipes", "out:1", "-n", "700", "--spin=0"});
  send(700);  // ends once all is taken
  EXPECT_EQ(balance->finish().json()["packets"], 700);
}

TEST_F(Balance, PacketsMayHaveMoreFragmentsThanABatchHasPackets) {
  const auto balance = start({"--pipes", "out:1", "-n", "4", "-b", "1"});
  send(4, {"-F", "2"});
  EXPECT_EQ(balance->finish().json()["packets"], 4);
}

TEST_F(Balance, RefusesWhatCannotBe) {
  const std::pair<Arguments, std::string> cases[] = {
      {{"in}1"}, "'in}1' cannot lend its name to pipes; give them one, --pipes NAME:2"},
      {{"in}1", "--pipes", "in:3"}, "'in{1' is an end of the pipe that packets come from"},
      {{"in}1", "--pipes", "out:0"}, "'out:0' is no group of pipes; one looks like 4 or NAME:4"},
  };
  for (const auto& [arguments, sentence] : cases) {
    const Outcome refused = run(nmx(Arguments{"balance"} + arguments));
    EXPECT_NE(refused.status, 0);
    EXPECT_THAT(refused.err, HasSubstr(sentence));
  }
}

TEST_F(Balance, PipesMayHaveALongerNameThanTheInput) {
  const auto balancing = start({"--pipes", "workers:2"});
  EXPECT_EQ(stop(*balancing)["port"], "in}1");
}

class Dedup : public OnEmbedded {
 protected:
  static std::unique_ptr<Process> start(const Arguments& more = {}) {
    auto process = std::make_unique<Process>(nmx(
        Arguments{"dedup", "netmap:in}1", "netmap:out{1", "--window", "1000s", "--json"} + more));
    process->wait_for("nmx dedup: ");
    return process;
  }
  static nlohmann::json stop(Process& process) {
    process.signal(SIGINT);
    const Outcome outcome = process.finish();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.json();
  }
};

TEST_F(Dedup, WhatComesTwiceGoesOnOnce) {
  for (const char* fragments : {"1", "3"}) {
    const auto dedup = start();
    Process in(nmx({"recv", "out}1", "--seq", "-n", "3000", "--json"}));
    in.wait_for("nmx recv: ");
    EXPECT_EQ(
        run(nmx({"gen", "in{1", "--seq", "-n", "3000", "-F", fragments, "--fault", "duplicate=1"}))
            .status,
        0);
    const Outcome received = in.finish();
    EXPECT_EQ(received.status, 0) << received.err;
    EXPECT_EQ(received.json()["duplicated"], 0);
    EXPECT_EQ(received.json()["lost"], 0);
    const auto done = stop(*dedup);
    EXPECT_EQ(done["packets"], 3000);
    EXPECT_EQ(done["duplicates"], 3000);
  }
}

TEST_F(Dedup, NothingThatDiffersIsDropped) {
  const auto dedup = start({"--fifo", "1000"});
  Process in(nmx({"recv", "out}1", "--seq", "-n", "5000", "--json"}));
  in.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"gen", "in{1", "--seq", "-n", "5000"})).status, 0);
  EXPECT_EQ(in.finish().json()["lost"], 0);
  EXPECT_EQ(stop(*dedup)["duplicates"], 0);
}

// The ring is full meanwhile, so that packets are looked at more than once.
TEST_F(Dedup, WaitsForAReaderAndDropsNothing) {
  const auto dedup = start();
  Process out(nmx({"gen", "in{1", "--seq", "-n", "5000"}));
  out.wait_for("nmx gen: ");
  dedup->wait_for("free slots    0");
  Process in(nmx({"recv", "out}1", "--seq", "-n", "5000", "--json"}));
  EXPECT_EQ(in.finish().json()["lost"], 0);
  EXPECT_EQ(out.finish().status, 0);
  EXPECT_EQ(stop(*dedup)["duplicates"], 0);
}

}  // namespace
}  // namespace nmx_test
