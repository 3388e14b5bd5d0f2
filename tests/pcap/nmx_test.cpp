// SPDX-License-Identifier: BSD-2-Clause
//
// nmx on captures: every subcommand that takes a port.
#include "cli/domain.hpp"
#include "cli/process.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace nmx_test {
namespace {

using testing::HasSubstr;

class Captures : public OnEmbedded {
 protected:
  [[nodiscard]] std::string file(const std::string& name) const {
    return directory_.path() + "/" + name;
  }
  /// A capture of so many numbered packets.
  [[nodiscard]] std::string generate(int count, const Arguments& more = {}) const {
    Arguments arguments{"gen", "pcap:tx=" + file("in"), "-n", std::to_string(count), "--seq"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome sent = run(nmx(arguments));
    EXPECT_EQ(sent.status, 0) << sent.err;
    return file("in");
  }
  static void expect_received(const std::string& port, int count) {
    const Outcome received = run(nmx({"recv", port, "--seq", "--json"}));
    EXPECT_EQ(received.status, 0) << received.err;
    EXPECT_EQ(received.json()["packets"], count);
    EXPECT_EQ(received.json()["lost"], 0);
    EXPECT_EQ(received.json()["device"], "pcap");
  }

 private:
  Directory directory_{"/dev/shm"};
};

TEST_F(Captures, WhatGenWritesRecvReads) {
  expect_received("pcap:" + generate(5000, {"-l", "60", "-l", "9000"}), 5000);
}

TEST_F(Captures, TheFirstLineNamesTheDevice) {
  const std::string in = generate(1);
  EXPECT_THAT(
      run(nmx({"recv", "pcap:" + in})).err,
      HasSubstr("nmx recv: pcap device, port 'pcap:rx=" + in + "', no tx rings, 1 rx ring"));
}

TEST_F(Captures, GenSendsACapturesFirstPacket) {
  const std::string in = generate(3, {"-l", "333"});
  const std::string out = file("out");
  ASSERT_EQ(run(nmx({"gen", "pcap:tx=" + out, "-n", "5", "-P", in})).status, 0);
  const Outcome received = run(nmx({"recv", "pcap:" + out, "--seq", "--json"}));
  EXPECT_EQ(received.json()["packets"], 5);
  EXPECT_EQ(received.json()["bytes"], 5 * 333);
  EXPECT_EQ(received.json()["corrupt"], 0);  // number 0, five times
}

TEST_F(Captures, AnEmptyCaptureHasNoPacketToSend) {
  const std::string in = generate(1);
  std::filesystem::resize_file(in, 24);  // the file's header
  const Outcome refused = run(nmx({"gen", "pcap:tx=" + file("other"), "-n", "5", "-P", in}));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr(in));
}

TEST_F(Captures, RecvStopsAtItsCountAndMissesWhatIsNotThere) {
  const std::string in = generate(10);
  EXPECT_EQ(run(nmx({"recv", "pcap:" + in, "-n", "10"})).status, 0);
  EXPECT_EQ(run(nmx({"recv", "pcap:" + in, "-n", "9"})).status, 0);
  const Outcome more = run(nmx({"recv", "pcap:" + in, "-n", "11"}));
  EXPECT_EQ(more.status, 1);
  EXPECT_THAT(more.err, HasSubstr("stopped after 10 of 11 packets"));
}

TEST_F(Captures, TimedEndsToo) {
  expect_received("pcap:rx=" + generate(100) + ",timed", 100);
}

TEST_F(Captures, BridgeCopiesOneCaptureToAnother) {
  const std::string in = generate(5000, {"-l", "60", "-l", "9000"});
  const Outcome copied = run(nmx({"bridge", "pcap:" + in, "pcap:tx=" + file("out"), "--json"}));
  EXPECT_EQ(copied.status, 0) << copied.err;
  EXPECT_EQ(copied.json()["packets"], 5000);
  EXPECT_EQ(copied.json()["forward"], 5000);
  expect_received("pcap:" + file("out"), 5000);
}

TEST_F(Captures, BridgePlaysACaptureIntoAPipe) {
  const std::string in = generate(5000, {"-l", "60", "-l", "9000"});
  Process receiver(nmx({"recv", "netmap:x}1", "-n", "5000", "--seq"}));
  receiver.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"bridge", "pcap:" + in, "netmap:x{1"})).status, 0);
  EXPECT_EQ(receiver.finish().status, 0);
}

TEST_F(Captures, BridgeRecordsAPipe) {
  Process bridge(nmx({"bridge", "netmap:x}1", "pcap:tx=" + file("out"), "-W"}));
  bridge.wait_for("nmx bridge: copy between embedded device");
  EXPECT_EQ(run(nmx({"gen", "netmap:x{1", "-n", "5000", "--seq"})).status, 0);
  EXPECT_EQ(bridge.finish().status, 0);
  expect_received("pcap:" + file("out"), 5000);
}

TEST_F(Captures, StreamsThroughAPipeOfTheShell) {
  const Outcome received =
      run({"sh", "-c", NMX_PATH " gen pcap:tx=- -n 5000 --seq | " NMX_PATH " recv pcap:- --seq"});
  EXPECT_EQ(received.status, 0) << received.err;
  EXPECT_THAT(received.err, HasSubstr("received 5000 packets"));
}

TEST_F(Captures, InfoDoesNotTouchTheFile) {
  const std::string in = generate(10);
  const auto size = std::filesystem::file_size(in);
  const Outcome told = run(nmx({"info", "pcap:tx=" + in}));
  EXPECT_EQ(told.status, 0) << told.err;
  EXPECT_THAT(told.out, HasSubstr("device     pcap"));
  EXPECT_EQ(std::filesystem::file_size(in), size);
}

struct Mistake {
  Arguments arguments;
  std::string because;
};

TEST_F(Captures, WhatCannotWorkIsOneSentence) {
  const std::string in = generate(10);
  std::ofstream(file("text")) << "this is no capture";
  std::filesystem::copy(in, file("cut"));
  std::filesystem::resize_file(file("cut"), std::filesystem::file_size(in) - 1);
  const std::vector<Mistake> mistakes{
      {{"recv", "pcap:"}, "column 6: expected the name of a file"},
      {{"recv", "pcap:" + file("none")}, "No such file or directory"},
      {{"recv", "pcap:" + file("text")}, "unknown file format"},
      {{"recv", "pcap:" + file("cut")}, "the capture is damaged: truncated dump file"},
      {{"recv", "pcap:tx=" + file("out")}, "without rx rings; add rx=FILE to its name"},
      {{"gen", "pcap:" + in}, "without tx rings; add tx=FILE to its name"},
      {{"gen", "pcap:tx=/dev/full", "-n", "1"}, "No space left on device"},
      {{"bridge", "pcap:" + in}, "give a second port"},
      {{"bridge", "pcap:" + in, "pcap:" + in}, "neither of"},
      {{"recv", "pcap:" + in, "-p", "2"}, "2 threads need 2 rings"}};
  for (const auto& [arguments, because] : mistakes) {
    const Outcome outcome = run(nmx(arguments));
    EXPECT_EQ(outcome.status, 1) << outcome.err;
    const std::string last = outcome.err.substr(outcome.err.rfind("nmx: "));
    EXPECT_THAT(last, HasSubstr(because));
    EXPECT_EQ(std::ranges::count(last, '\n'), 1) << last;
  }
}

/// On a file system of this size.
TEST_F(Captures, AFullDiskIsOneSentence) {
  const std::string mount = "mount -t tmpfs -o size=64k none " + domain();
  const std::string unshare = geteuid() == 0 ? "unshare -m" : "unshare -rm";
  if (run({"sh", "-c", unshare + " sh -c '" + mount + "'"}).status != 0) {
    GTEST_SKIP() << "mounting is not permitted here";
  }
  const Outcome outcome = run(
      {"sh", "-c",
       unshare + " sh -c '" + mount + " && exec " NMX_PATH " gen pcap:tx=" + domain() + "/out'"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("/out': No space left on device"));
}

}  // namespace
}  // namespace nmx_test
