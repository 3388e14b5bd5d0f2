// SPDX-License-Identifier: BSD-2-Clause
//
// nmx emulate between two pipes, of which this test or other subcommands have the far ends.
#include "cli/domain.hpp"
#include "cli/process.hpp"

#include <netmap/netmap.hpp>

#include <gmock/gmock.h>

#include <csignal>

namespace nmx_test {
namespace {

using netmap::Direction;
using testing::HasSubstr;
using namespace std::chrono_literals;

Arguments emulate(const Arguments& more = {}) {
  return nmx(Arguments{"emulate", "x}1", "y}1", "--json"} + more);
}

/// What ends a run of nmx emulate.
Outcome stop(Process& emulating) {
  emulating.signal(SIGINT);
  return emulating.finish();
}

std::uint64_t accounted(const nlohmann::json& way) {
  std::uint64_t sum = 0;
  for (const char* part : {"out", "under_way", "lost", "dropped_queue", "dropped_memory"}) {
    sum += way[part].get<std::uint64_t>();
  }
  return sum;
}

class Emulate : public OnEmbedded {
 protected:
  using Bytes = std::vector<std::byte>;

  static constexpr auto patience = 60s;

  /// Numbered packets, all at once.
  static void send(netmap::Port& port, std::size_t count, std::size_t bytes) {
    for (std::size_t i = 0; i < count; ++i) {
      Bytes packet(bytes, static_cast<std::byte>(i));
      ASSERT_TRUE(port.tx_rings()[0].send(packet));
    }
    ASSERT_TRUE(port.sync_tx());
  }
  static Bytes receive(netmap::Port& port) {
    Bytes packet(65'536);
    while (port.rx_rings()[0].packets().empty()) {
      const auto ready = port.wait(Direction::rx, patience);
      if (!ready || ready->empty()) throw std::runtime_error("nothing came");
    }
    packet.resize(port.rx_rings()[0].receive(packet).value());
    return packet;
  }
};

TEST_F(Emulate, ARoundTripTakesBothDelays) {
  Process emulating(emulate({"--delay", "20ms", "--back", "delay=10ms"}));
  emulating.wait_for("nmx emulate: ");
  Process pong(nmx({"pong", "y{1"}));
  pong.wait_for("nmx pong: ");
  const Outcome pinged =
      run(nmx({"ping", "x{1", "-n", "20", "--every", "1ms", "--timeout", "60s", "--json"}));
  EXPECT_EQ(pinged.status, 0) << pinged.err;
  EXPECT_EQ(pinged.json()["answered"], 20);
  EXPECT_GE(pinged.json()["round_trip_ns"]["min"], 30'000'000);
  const Outcome emulated = stop(emulating);
  EXPECT_EQ(emulated.status, 0) << emulated.err;
  for (const char* way : {"forward", "backward"}) {
    EXPECT_EQ(emulated.json()[way]["in"], 20);
    EXPECT_EQ(emulated.json()[way]["out"], 20);
    EXPECT_GE(emulated.json()[way]["late_ns"]["max"], emulated.json()[way]["late_ns"]["p50"]);
  }
  EXPECT_THAT(emulated.err, HasSubstr("x}1 → y}1: 20 in, 20 out, 0 under way; queue at most "));
}

TEST_F(Emulate, LossesAddUpAndRepeat) {
  std::vector<std::uint64_t> lost;
  for (const char* seed : {"5", "5"}) {
    Process emulating(emulate({"--loss", "0.25", "--seed", seed, "--back", "loss=0"}));
    emulating.wait_for("nmx emulate: ");
    Process in(nmx({"recv", "y{1", "--seq", "--json", "-T", "10"}));
    in.wait_for("nmx recv: ");
    EXPECT_EQ(run(nmx({"gen", "x{1", "-n", "20000", "--seq"})).status, 0);
    in.wait_for("lost");
    const auto forward = stop(emulating).json()["forward"];
    EXPECT_EQ(forward["in"], 20'000);
    EXPECT_EQ(accounted(forward), 20'000);
    EXPECT_EQ(forward["dropped_queue"], 0);
    EXPECT_NEAR(forward["lost"].get<double>(), 5000, 245);  // four standard deviations
    lost.push_back(forward["lost"]);
    const auto received = stop(in).json();
    EXPECT_LE(received["packets"], forward["out"]);
    EXPECT_EQ(received["corrupt"], 0);
    EXPECT_EQ(received["reordered"], 0);
  }
  EXPECT_EQ(lost[0], lost[1]);
}

TEST_F(Emulate, BackDiffersInWhatItIsTold) {
  Process emulating(emulate({"--back", "loss=0", "--loss", "1"}));
  emulating.wait_for("nmx emulate: ");
  auto x = netmap::open("x{1").value();
  auto y = netmap::open("y{1").value();
  send(x, 10, 60);
  send(y, 10, 77);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(receive(x).size(), 77U);
  ASSERT_EQ(x.drain(patience), 0);
  ASSERT_TRUE(x.sync_rx());
  const auto json = stop(emulating).json();
  EXPECT_EQ(json["forward"]["lost"], 10);
  EXPECT_EQ(json["backward"]["out"], 10);
}

TEST_F(Emulate, TheQueueTakesWhatItHoldsAndDropsTheRest) {
  // A bit a second: none of it leaves while the test lasts.
  Process emulating(emulate({"--bandwidth", "1", "--queue", "5k"}));
  emulating.wait_for("nmx emulate: ");
  auto x = netmap::open("x{1").value();
  send(x, 100, 100);
  ASSERT_EQ(x.drain(patience), 0);
  const Outcome emulated = stop(emulating);
  const auto forward = emulated.json()["forward"];
  EXPECT_EQ(forward["in"], 100);
  EXPECT_EQ(forward["dropped_queue"], 50);
  EXPECT_EQ(forward["under_way"], 50);
  EXPECT_NEAR(forward["queue_max_bytes"].get<double>(), 5000, 8);
  EXPECT_THAT(emulated.err, HasSubstr("50 dropped: queue full"));
}

TEST_F(Emulate, WithoutMemoryPacketsAreDropped) {
  Process emulating(emulate({"--delay", "3600s", "--hold", "1160"}));
  emulating.wait_for("nmx emulate: ");
  auto x = netmap::open("x{1").value();
  send(x, 100, 100);  // which take 120 each, with what is kept beside them
  ASSERT_EQ(x.drain(patience), 0);
  const auto forward = stop(emulating).json()["forward"];
  EXPECT_EQ(forward["under_way"], 9);
  EXPECT_EQ(forward["dropped_memory"], 91);
}

TEST_F(Emulate, PacketsOfSeveralSlotsStayWholeAndInOrder) {
  Process emulating(emulate({"--delay", "1ms", "--jitter", "1ms"}));
  emulating.wait_for("nmx emulate: ");
  auto x = netmap::open("x{1").value();
  auto y = netmap::open("y{1").value();
  send(x, 50, 9000);
  send(x, 50, 60);
  for (const std::size_t bytes : {9000UZ, 60UZ}) {
    for (std::size_t i = 0; i < 50; ++i) {
      EXPECT_EQ(receive(y), Bytes(bytes, static_cast<std::byte>(i)));
    }
  }
  ASSERT_TRUE(y.sync_rx());
  const auto forward = stop(emulating).json()["forward"];
  EXPECT_EQ(forward["out_bytes"], 50 * 9060);
}

TEST_F(Emulate, APacketThatIsHeldBackIsOvertaken) {
  Process emulating(emulate({"--reorder", "0.5+100ms"}));
  emulating.wait_for("nmx emulate: ");
  auto x = netmap::open("x{1").value();
  auto y = netmap::open("y{1").value();
  send(x, 200, 60);
  std::vector<std::byte> order;
  for (int i = 0; i < 200; ++i) order.push_back(receive(y).front());
  EXPECT_FALSE(std::ranges::is_sorted(order));
  std::ranges::sort(order);
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], static_cast<std::byte>(i));
  ASSERT_TRUE(y.sync_rx());
  const auto forward = stop(emulating).json()["forward"];
  EXPECT_GT(forward["held_back"], 0);
  EXPECT_LT(forward["held_back"], 200);
}

TEST_F(Emulate, AReceiverThatTakesNothingStopsItsOwnWayOnly) {
  Process emulating(emulate());
  emulating.wait_for("nmx emulate: ");
  auto x = netmap::open("x{1").value();
  auto y = netmap::open("y{1").value();
  for (int i = 0; i < 4; ++i) {
    send(x, 1000, 60);
    ASSERT_EQ(x.drain(patience), 0);
  }
  send(y, 1, 77);
  EXPECT_EQ(receive(x).size(), 77U);
  for (int i = 0; i < 4000; ++i) EXPECT_EQ(receive(y).size(), 60U);
  ASSERT_TRUE(x.sync_rx());
  ASSERT_TRUE(y.sync_rx());
  EXPECT_EQ(stop(emulating).json()["forward"]["out"], 4000);
}

TEST_F(Emulate, APacketThatTheOtherSideCanNeverTakeIsAnError) {
  Process emulating(nmx({"emulate", "x}1", "y}1@conf:slots=16"}));
  emulating.wait_for("nmx emulate: ");
  auto x = netmap::open("x{1").value();
  send(x, 1, 60'000);
  const Outcome emulated = emulating.finish();
  EXPECT_EQ(emulated.status, 1);
  EXPECT_THAT(
      emulated.err,
      HasSubstr("nmx: a packet of 60000 bytes came from 'x}1', which takes 30 slots, but the "
                "rings of 'y}1' have 16\n"));
}

}  // namespace
}  // namespace nmx_test
