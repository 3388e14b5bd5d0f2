// SPDX-License-Identifier: BSD-2-Clause
//
// Captures that are still being written: a FIFO.
#include "pcap/support.hpp"

#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace netmap::pcap {
namespace {

class Stream : public WithFiles {
 protected:
  Stream() {
    EXPECT_EQ(::mkfifo(path().c_str(), 0600), 0);
    writer_ = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
  }
  ~Stream() override { close_writer(); }

  void append(const Bytes& bytes) const {
    ASSERT_EQ(::write(writer_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void close_writer() {
    if (writer_ >= 0) ::close(writer_);
    writer_ = -1;
  }
  /// The `n`-th record by itself.
  [[nodiscard]] static Bytes record(std::size_t n) {
    const auto all = records(std::vector<std::size_t>(n + 1, 100));
    const Bytes before = capture(classic, {all.begin(), all.end() - 1});
    const Bytes with = capture(classic, all);
    return {with.begin() + static_cast<std::ptrdiff_t>(before.size()), with.end()};
  }

  int writer_ = -1;
};

TEST_F(Stream, ShowsWhatIsThereAndWaitsForMore) {
  append(capture(classic, {}));
  append(record(0));
  append(record(1));
  Port port = open("pcap:" + path());
  RxRing& ring = port.rx_rings()[0];
  must(port.sync_rx());
  EXPECT_EQ(take(ring), (std::vector<Bytes>{content(0, 100), content(1, 100)}));
  EXPECT_TRUE(must(port.wait(Direction::rx, 0ns)).empty());

  ASSERT_TRUE(must(port.arm(Direction::rx)));
  pollfd one{port.wait_handle(Direction::rx).fd, POLLIN, 0};
  ASSERT_EQ(::poll(&one, 1, 0), 0);
  append(record(2));
  ASSERT_EQ(::poll(&one, 1, 60'000), 1) << "nobody was woken";
  port.disarm(Direction::rx);
  ASSERT_EQ(::poll(&one, 1, 0), 0) << "a wake-up is left";
  EXPECT_FALSE(must(port.wait(Direction::rx)).empty());
  EXPECT_EQ(take(ring), (std::vector<Bytes>{content(2, 100)}));

  ASSERT_TRUE(must(port.arm(Direction::rx)));
  close_writer();
  ASSERT_EQ(::poll(&one, 1, 60'000), 1) << "the end wakes, too";
  port.disarm(Direction::rx);
  EXPECT_EQ(code_of(port.wait(Direction::rx)), errc::end_of_capture);
}

TEST_F(Stream, IsCutOffInTheMiddleOfAPacket) {
  append(capture(classic, {}));
  append(record(0));
  Bytes half = record(1);
  half.resize(half.size() / 2);
  append(half);
  Port port = open("pcap:" + path());
  close_writer();
  const Shown shown = read_all(port);
  EXPECT_EQ(shown.packets, (std::vector<Bytes>{content(0, 100)}));
  EXPECT_EQ(shown.end, errc::capture_damaged);
}

/// A packet that waits for its time is reason enough: more that can be read does not wake.
TEST_F(Stream, TimedWakesForTheTimeAlone) {
  auto sent = records({100, 100, 100});
  sent[1].time += 24h;
  sent[2].time += 24h;
  append(capture(classic, sent));
  Port port = open("pcap:rx=" + path() + ",timed");
  must(port.wait(Direction::rx));
  EXPECT_EQ(take(port.rx_rings()[0]).size(), 1U);
  ASSERT_TRUE(must(port.arm(Direction::rx)));
  pollfd one{port.wait_handle(Direction::rx).fd, POLLIN, 0};
  EXPECT_EQ(::poll(&one, 1, 1), 0);
  port.disarm(Direction::rx);
}

}  // namespace
}  // namespace netmap::pcap
