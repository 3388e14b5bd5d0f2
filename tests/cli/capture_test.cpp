// SPDX-License-Identifier: BSD-2-Clause
//
// nmx capture and nmx replay; how Wireshark calls the first is in extcap_test.cpp. Captures stand
// for ports where nothing but bytes matters.
#include "cli/domain.hpp"
#include "cli/process.hpp"
#include "nmx/capture_file.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nmx_test {
namespace {

using testing::HasSubstr;

class CaptureCommands : public OnEmbedded {
 protected:
  [[nodiscard]] std::string file(const std::string& name) const {
    return directory_.path() + "/" + name;
  }
  /// A capture of so many numbered packets.
  [[nodiscard]] std::string generate(int count, const Arguments& more = {}) const {
    const Outcome sent = run(nmx(
        Arguments{"gen", "pcap:tx=" + file("in"), "-n", std::to_string(count), "--seq"} + more));
    EXPECT_EQ(sent.status, 0) << sent.err;
    return file("in");
  }
  static Outcome must(const Arguments& arguments) {
    Outcome outcome = run(nmx(arguments));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome;
  }
  static void expect_clean(const std::string& capture, int count) {
    const auto received = must({"recv", "pcap:" + capture, "--seq", "--json"}).json();
    EXPECT_EQ(received["packets"], count);
    EXPECT_EQ(received["lost"], 0);
  }

 private:
  Directory directory_{"/dev/shm"};
};

std::uint32_t word(const std::string& bytes, std::size_t at) {
  std::uint32_t word = 0;
  std::memcpy(&word, &bytes.at(at), sizeof word);
  return word;
}

struct Block {
  std::uint32_t type;
  std::string bytes;  ///< all of them

  /// epb_flags, behind which are the end of options and the length.
  [[nodiscard]] std::uint32_t way() const { return word(bytes, bytes.size() - 12); }
};

std::vector<Block> blocks_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string all(std::istreambuf_iterator<char>(in), {});
  std::vector<Block> blocks;
  for (std::size_t at = 0; at < all.size(); at += blocks.back().bytes.size()) {
    blocks.push_back({word(all, at), all.substr(at, word(all, at + 4))});
  }
  return blocks;
}

constexpr std::uint32_t packet_block = 6;
constexpr std::uint32_t statistics_block = 5;

void expect_ways(const std::string& capture, std::size_t packets, std::uint32_t way) {
  for (const Block& block : blocks_of(capture)) {
    if (block.type != packet_block) continue;
    EXPECT_EQ(block.way(), way);
    --packets;
  }
  EXPECT_EQ(packets, 0U);
}

TEST_F(CaptureCommands, KeepEveryByteBothWays) {
  const std::string in = generate(2000, {"-l", "60", "-l", "9000"});
  must({"capture", "pcap:" + in, "-o", file("captured")});
  expect_clean(file("captured"), 2000);
  must({"replay", file("captured"), "pcap:tx=" + file("replayed"), "--speed", "top"});
  expect_clean(file("replayed"), 2000);
}

TEST_F(CaptureCommands, AReceiverAndAPipe) {
  const std::string in = generate(2000, {"-l", "60", "-l", "9000"});
  Process capture(nmx({"capture", "x}1", "-o", file("captured"), "-n", "2000"}));
  capture.wait_for("nmx capture: ");
  must({"replay", in, "x{1", "--speed", "top"});
  EXPECT_EQ(capture.finish().status, 0);
  expect_clean(file("captured"), 2000);
  expect_ways(file("captured"), 2000, 1);
}

TEST_F(CaptureCommands, AMonitorSaysWhatWasSent) {
  Process receiver(nmx({"recv", "x}1", "-n", "100"}));
  receiver.wait_for("nmx recv: ");
  Process capture(nmx({"capture", "x}1/rt", "-o", file("received"), "-n", "100"}));
  capture.wait_for("nmx capture: ");
  Process sender(nmx({"gen", "x{1"}));
  sender.wait_for("nmx gen: ");
  EXPECT_EQ(capture.finish().status, 0);
  expect_ways(file("received"), 100, 1);
  EXPECT_EQ(receiver.finish().status, 0);

  Process more(nmx({"recv", "x}1"}));
  more.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"capture", "x{1/rt", "-o", file("sent"), "-n", "100"})).status, 0);
  expect_ways(file("sent"), 100, 2);
}

TEST_F(CaptureCommands, ASignalLeavesAWholeFile) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Process capture(nmx({"capture", "x}1", "-o", file("captured"), "-T", "10"}));
    capture.wait_for("nmx capture: ");
    must({"gen", "x{1", "-n", "50"});  // ends when all was taken
    capture.signal(signal);
    EXPECT_EQ(capture.finish().status, 0);
    EXPECT_EQ(blocks_of(file("captured")).back().type, statistics_block);
    EXPECT_EQ(blocks_of(file("captured")).size(), 53U);
  }
}

TEST_F(CaptureCommands, FilterSnapAndCount) {
  const std::string in = generate(100, {"-l", "1000", "-s", "10.0.0.1-10.0.0.4", "-d", "10.1.0.1"});
  const auto json = must({"capture", "pcap:" + in, "-o", file("some"), "--filter",
                          "src host 10.0.0.2", "--snaplen", "64", "-n", "20", "--json"})
                        .json();
  EXPECT_EQ(json["packets"], 20);
  auto some = nmx::CaptureFile::open(file("some"));
  ASSERT_TRUE(some);
  for (int i = 0; i < 20; ++i) {
    const auto packet = some->next();
    ASSERT_TRUE(packet && *packet);
    EXPECT_EQ((*packet)->bytes.size(), 64U);
    EXPECT_EQ((*packet)->size, 1000U);
    EXPECT_EQ((*packet)->bytes[29], std::byte{2});  // the source's last byte
  }
  EXPECT_FALSE(some->next().value());
}

TEST_F(CaptureCommands, StreamThroughAPipeOfTheShell) {
  const std::string in = generate(2000);
  const Outcome outcome =
      run({"sh", "-c",
           NMX_PATH " capture pcap:" + in + " -o - | " NMX_PATH " replay - pcap:tx=" + file("out") +
               " --speed top"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  expect_clean(file("out"), 2000);
}

TEST_F(CaptureCommands, AReaderThatGoesIsNoFailure) {
  const Outcome outcome =
      run({"sh", "-c", "{ " NMX_PATH " capture 'x}1' -o -; echo status $? >&2; } | head -c 4"});
  EXPECT_THAT(outcome.err, HasSubstr("whoever read the capture has gone\nstatus 0"));
}

TEST_F(CaptureCommands, AReaderThatGoesIsNoticedWithoutAnythingToWrite) {
  Process capture({"sh", "-c", NMX_PATH " capture 'x}1' --filter 'tcp port 9' -o - | head -c 4"});
  capture.wait_for("nmx capture: ");
  Process sender(nmx({"gen", "x{1"}));
  const Outcome outcome = capture.finish();
  EXPECT_THAT(outcome.err, HasSubstr("whoever read the capture has gone\n"));
}

TEST_F(CaptureCommands, ASignalEndsItThoughTheReaderTakesNothing) {
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  const int reader = open(file("fifo").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  Process capture(nmx({"capture", "x}1", "-o", file("fifo")}));
  capture.wait_for("nmx capture: ");
  Process sender(nmx({"gen", "x{1", "-n", "4000", "-l", "1000"}));
  pollfd room{reader, POLLOUT, 0};
  while (poll(&room, 1, 0) != 0) sched_yield();
  capture.signal(SIGINT);
  const Outcome outcome = capture.finish();
  close(reader);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("/fifo': Interrupted system call\n"));
}

TEST_F(CaptureCommands, AFullDiskIsOneSentenceAndAWholeFile) {
  const std::string in = generate(5000, {"-l", "1000"});
  const std::string unshare = geteuid() == 0 ? "unshare -m" : "unshare -rm";
  const std::string mount = "mount -t tmpfs -o size=2m none " + domain();
  if (run({"sh", "-c", unshare + " sh -c '" + mount + "'"}).status != 0) {
    GTEST_SKIP() << "mounting is not permitted here";
  }
  const Outcome outcome =
      run({"sh", "-c",
           unshare + " sh -c '" + mount + "; " NMX_PATH " capture pcap:" + in + " -o " + domain() +
               "/out; echo $?; cp " + domain() + "/out " + file("out") + "'"});
  EXPECT_EQ(outcome.out, "1\n");
  EXPECT_THAT(outcome.err, HasSubstr("/out': No space left on device\n"));
  auto whole = nmx::CaptureFile::open(file("out"));
  ASSERT_TRUE(whole);
  int packets = 0;
  auto packet = whole->next();
  for (; packet && *packet; packet = whole->next()) ++packets;
  EXPECT_TRUE(packet);
  EXPECT_GT(packets, 0);
}

TEST_F(CaptureCommands, ReplayRepeatsAndCounts) {
  const std::string in = generate(10);
  const auto replay = [&](const Arguments& more) {
    return must(Arguments{"replay", in, "pcap:tx=" + file("out"), "--json"} + more).json();
  };
  EXPECT_EQ(replay({"--speed", "top", "--loop", "3"})["packets"], 30);
  EXPECT_EQ(replay({"--speed", "top", "--loop", "0", "-n", "25"})["packets"], 25);
  EXPECT_EQ(replay({"-n", "7"})["packets"], 7);
  EXPECT_EQ(replay({"--preload", "--speed", "top", "--loop", "3"})["packets"], 30);
}

TEST_F(CaptureCommands, ReplayIsNeverEarlyAndSaysHowLate) {
  const std::string in = generate(10);
  const auto replay = [&](const std::string& speed, const Arguments& more = {}) {
    return must(Arguments{"replay", in, "pcap:tx=" + file("out"), "--json", "--speed", speed} +
                more)
        .json();
  };
  for (const Arguments& spin : {Arguments{}, Arguments{"--spin"}, Arguments{"--spin=0"}}) {
    const auto steady = replay("200pps", spin);
    EXPECT_GE(steady["seconds"], 9 / 200.);
    EXPECT_LE(steady["sent_late_ns"]["p50"], steady["sent_late_ns"]["max"]);
  }
  EXPECT_TRUE(replay("top")["sent_late_ns"].is_null());
}

TEST_F(CaptureCommands, ReplayFillsUpWhatWasCutAndLeavesOutWhatDoesNotFit) {
  const std::string in = generate(10, {"-l", "9000"});
  must({"capture", "pcap:" + in, "-o", file("cut"), "--snaplen", "100"});
  const auto json =
      must({"replay", file("cut"), "pcap:tx=" + file("out"), "--json", "--speed", "top"}).json();
  EXPECT_EQ(json["padded"], 10);
  EXPECT_EQ(json["bytes"], 90'000);

  Process receiver(nmx({"recv", "x}1@conf:slots=4"}));
  receiver.wait_for("nmx recv: ");
  const auto small = must({"replay", in, "x{1", "--json"}).json();
  EXPECT_EQ(small["too_large"], 10);
  EXPECT_EQ(small["packets"], 0);
}

TEST_F(CaptureCommands, ASignalEndsAReplayOfAStreamThatIsInsideAPacket) {
  constexpr std::size_t inside = 24 + 16 + 10;  // the file's header, the packet's, some of it
  const std::string in = generate(1);
  std::string bytes(inside, '\0');
  std::ifstream(in, std::ios::binary).read(bytes.data(), inside);
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  const int writer = open(file("fifo").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(write(writer, bytes.data(), inside), static_cast<ssize_t>(inside));
  Process replay(nmx({"replay", file("fifo"), "x{1"}));
  replay.wait_for("nmx replay: ");
  for (int left = 1; left != 0; sched_yield()) ASSERT_EQ(ioctl(writer, FIONREAD, &left), 0);
  replay.signal(SIGINT);
  EXPECT_EQ(replay.finish().status, 0);
  close(writer);
}

TEST_F(CaptureCommands, ASignalEndsTheWaitForThePacketToBeSent) {
  constexpr std::size_t header = 24;
  const std::string in = generate(1);
  std::string bytes(header, '\0');
  std::ifstream(in, std::ios::binary).read(bytes.data(), header);
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  const int writer = open(file("fifo").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(write(writer, bytes.data(), header), static_cast<ssize_t>(header));
  Process gen(nmx({"gen", "x{1", "-P", file("fifo")}));
  for (int left = 1; left != 0; sched_yield()) ASSERT_EQ(ioctl(writer, FIONREAD, &left), 0);
  gen.signal(SIGINT);
  const Outcome outcome = gen.finish();
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("interrupted before '" + file("fifo") + "' had a packet"));
  close(writer);
}

TEST_F(CaptureCommands, ReplaySendsWhatIsWholeOfADamagedFile) {
  const std::string in = generate(10);
  std::filesystem::resize_file(in, std::filesystem::file_size(in) - 1);
  for (const Arguments& more : {Arguments{}, Arguments{"--preload"}}) {
    const Outcome outcome =
        run(nmx(Arguments{"replay", in, "pcap:tx=" + file("out"), "--speed", "top"} + more));
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err,
                HasSubstr("cannot read the capture '" + in + "': truncated dump file"));
    expect_clean(file("out"), 9);
  }
}

/// The capture is larger than what is read ahead, and the second packet is due after an hour.
TEST_F(CaptureCommands, PreloadReadsAStreamToItsEndBeforeAnythingIsDue) {
  const std::string in = generate(6000, {"-l", "1400"});
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  Process replay(nmx({"replay", file("fifo"), "x{1", "--preload", "--speed", "0.0003pps"}));
  EXPECT_EQ(run({"sh", "-c", "cat " + in + " >" + file("fifo")}).status, 0);
  replay.signal(SIGINT);
  EXPECT_THAT(replay.finish().err, HasSubstr("stopped before the end of the capture"));
}

TEST_F(CaptureCommands, ASignalEndsThePreloadingOfAStreamWithoutEnd) {
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  const Process gen(nmx({"gen", "pcap:tx=" + file("fifo")}));
  Process replay(nmx({"replay", file("fifo"), "x{1", "--preload"}));
  replay.wait_for("reading all");
  replay.signal(SIGINT);
  EXPECT_THAT(replay.finish().err, HasSubstr("stopped before the end of the capture"));
}

TEST_F(CaptureCommands, WhatIsWholeOfADamagedFileIsForwarded) {
  const std::string in = generate(10);
  std::filesystem::resize_file(in, std::filesystem::file_size(in) - 1);
  for (const char* command : {"bridge", "dedup"}) {
    const Outcome outcome = run(nmx({command, "pcap:" + in, "pcap:tx=" + file(command)}));
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err, HasSubstr("truncated dump file"));
    expect_clean(file(command), 9);
  }
}

TEST_F(CaptureCommands, ADamageIsToldThoughNobodyTakesWhatWasSent) {
  const std::string in = generate(10);
  std::filesystem::resize_file(in, std::filesystem::file_size(in) - 1);
  const Outcome outcome = run(nmx({"replay", in, "x{1"}));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("truncated dump file"));
}

struct RefusedCommand {
  Arguments arguments;
  int status;
  std::string because;
};

TEST_F(CaptureCommands, WhatCannotWorkIsOneSentence) {
  const std::string in = generate(1);
  const std::vector<RefusedCommand> mistakes{
      {{"capture", "pcap:" + in, "-o", "-", "--json"}, 2, "give -o FILE"},
      {{"capture", "pcap:" + in, "--filter", "so what"}, 1, "'so what' is no filter: "},
      {{"capture", "pcap:" + in, "-o", "/no/where"}, 1, "No such file or directory"},
      {{"capture", "pcap:" + in, "-o", "/dev/full"}, 1, "No space left on device"},
      {{"capture", "pcap:" + in, "-o", file("out"), "-n", "2"}, 1, "stopped after 1 of 2 packets"},
      {{"capture", "pcap:" + in, "-o", in}, 1, "cannot be read and written at once"},
      {{"replay", in, "pcap:tx=" + in}, 1, "cannot be read and written at once"},
      {{"replay", file("none"), "x{1"}, 1, "No such file or directory"},
      {{"replay", in, "x{1", "--speed", "fast"}, 2, "'fast' is no speed"},
      {{"replay", in, "x{1", "--loop", "-1"}, 2, "--loop"}};
  for (const auto& [arguments, status, because] : mistakes) {
    const Outcome outcome = run(nmx(arguments));
    EXPECT_EQ(outcome.status, status) << outcome.err;
    const std::string last =
        outcome.err.substr(std::min(outcome.err.rfind("nmx: "), outcome.err.size()));
    EXPECT_THAT(last, HasSubstr(because));
    EXPECT_EQ(std::ranges::count(last, '\n'), 1) << last;
  }
  expect_clean(in, 1);
}

}  // namespace
}  // namespace nmx_test
