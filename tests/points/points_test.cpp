// SPDX-License-Identifier: BSD-2-Clause
//
// A forwarder dies, or is stopped for a while, at every point that the library names. The packets
// it forwards arrive, each once and in order, and in the end nothing is missing. NETMAP_ROUNDS says
// how often each point is tried.
#include "embedded/support.hpp"

#include "os/files.hpp"
#include "point.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <future>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

namespace netmap::embedded {
namespace {

const PortOptions small{.conf = {.tx_slots = 16, .rx_slots = 16}, .extra_buffers = 5};
const PortOptions with_offsets{.conf = {.tx_slots = 16, .rx_slots = 16},
                               .offset = DataOffset{.initial = 32, .bits = 0, .max = 64}};

/// Long enough to fall asleep.
constexpr auto blink = std::chrono::milliseconds(1);

/// What the victim does at which point.
const char* chosen = nullptr;
std::atomic<int> passes = 0;
int signal_there = 0;

void strike(const char* name) {
  if (chosen == nullptr || std::string_view(name) != chosen || passes-- != 0) return;
  ::kill(::getpid(), signal_there);
}

class Points : public InDomain {
 protected:
  Port source_ = open("x{1", small);
  Port sink_ = open("x}2", small);
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;

  /// What there is to do at either end.
  void serve() {
    must(source_.sync_tx());
    sent_ = send_numbers(source_.tx_rings()[0], sent_, sent_ + 4);
    must(source_.sync_tx());
    receive();
  }
  void receive() {
    (void)must(sink_.wait(Direction::rx, blink));
    received_ = take_numbers(sink_.rx_rings()[0], received_);
  }
  /// Has another process die, so that there is something to be put right.
  void leave_a_corpse() {
    (void)Process([this] {
      chosen = nullptr;
      auto from = open("x}1", small);
      return ::kill(::getpid(), SIGKILL) == 0;
    }).succeeded();
  }
  /// A pipe that comes and goes, with data offsets and a loop that syncs.
  void use_another_pipe(const std::string& parent) {
    auto from = open(parent + "{9", with_offsets);
    auto to = open(parent + "}9", with_offsets);
    SyncLoop loop = must(SyncLoop::attach(from));
    std::thread helper([&loop] { (void)loop.run(); });
    (void)send_number(from.tx_rings()[0], 0);
    must(from.sync_tx());
    const auto came = to.wait(Direction::rx, patience);
    must(loop.stop());
    helper.join();
    EXPECT_FALSE(must(came).empty());
  }
  /// Opens, forwards a little, and closes.
  void forward_some(Random random) {
    // Not after the strike: then this process may be killed any time, and its child would live on.
    if (passes >= 0 && random.below(2) == 0) leave_a_corpse();
    if (random.below(2) == 0) use_another_pipe("x");
    if (random.below(2) == 0) use_another_pipe("y");  // so does its region
    auto from = open("x}1", small);
    auto to = open("x{2", small);
    for (std::uint64_t turns = 1 + random.below(20); turns != 0; --turns) {
      (void)must(from.wait(Direction::rx, blink));
      (void)must(to.wait(Direction::tx, blink));
      (void)must(forward(from.rx_rings()[0], to.tx_rings()[0], 1 + random.below(8)));
      must(to.sync_tx());
      must(from.sync_rx());
    }
  }
  [[nodiscard]] InUse in_use() const { return InDomain::in_use(source_.info().memory_id); }
  /// Lets a sound forwarder bring everything home, twice, so that what was lost is found.
  void settle() {
    for (int life = 0; life != 2; ++life) {
      auto from = open("x}1", small);
      auto to = open("x{2", small);
      serve();
      do {
        must(from.sync_rx());
        must(to.sync_tx());
        (void)must(forward(from.rx_rings()[0], to.tx_rings()[0]));
        must(to.sync_tx());
        must(from.sync_rx());
        receive();
      } while (received_ != sent_ && !HasFailure());
      must(sink_.sync_rx());
      must(source_.sync_tx());
      must(from.sync_tx());
      must(to.sync_rx());
    }
  }
  Process start_victim(const char* point, int signal, Random random) {
    return Process([=, this]() mutable {
      chosen = point;
      passes = static_cast<int>(random.below(3));
      signal_there = signal;
      points::reached = strike;
      for (;;) forward_some(Random(random.below(1'000'000)));
      return false;
    });
  }
  /// Whether a process that is stopped or dead, as far as it matters, has the domain's lock.
  [[nodiscard]] bool is_locked() const {
    const auto file = os::open(AT_FDCWD, path() + "/lock", O_RDWR);
    const auto taken = file ? os::try_lock(*file) : std::unexpected(file.error());
    if (!taken) throw std::runtime_error("the lock cannot be tried");
    return !*taken;
  }
  [[nodiscard]] static bool is_struck(const Process& victim) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(victim.id()), &info,
                    WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == victim.id();
  }
  /// Waits, serving, until the victim has died or stopped.
  [[nodiscard]] bool await_strike(const Process& victim) {
    return await([&] {
      serve();
      return is_struck(victim);
    });
  }
};

std::uint64_t rounds() {
  const char* const asked = std::getenv("NETMAP_ROUNDS");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 1;
}

TEST_F(Points, AreMany) {
  EXPECT_GE(points::all().size(), 20U);
}

TEST_F(Points, KillNobodyElse) {
  settle();
  const InUse at_rest = in_use();
  for (const char* point : points::all()) {
    for (std::uint64_t round = 0; round != rounds(); ++round) {
      SCOPED_TRACE(std::string(point) + ", round " + std::to_string(round));
      Process victim = start_victim(point, SIGKILL, Random(round));
      ASSERT_TRUE(await_strike(victim)) << "it is never reached";
      victim.kill();
      settle();
      ASSERT_FALSE(HasFailure());
      ASSERT_EQ(in_use(), at_rest);
    }
  }
}

TEST_F(Points, StopNobodyElse) {
  for (const char* point : points::all()) {
    SCOPED_TRACE(point);
    Process victim = start_victim(point, SIGSTOP, Random(1));
    ASSERT_TRUE(await_strike(victim)) << "it is never reached";
    for (int turn = 0; turn != 20; ++turn) serve();
    ::kill(victim.id(), SIGCONT);
    const std::uint64_t until = received_ + 50;
    ASSERT_TRUE(await([&] {
      serve();
      return received_ >= until || HasFailure();
    }));
    victim.kill();
    settle();
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(Points, StopOfWhoOpensWithOffsetsLeavesThoseOfPacketsThatComeMeanwhile) {
  auto sender = open("x{7", with_offsets);
  Shared<std::atomic<bool>> is_open;
  Shared<std::atomic<std::size_t>> offset;
  Process receiver([&] {
    chosen = "offsets: looked";
    passes = 1;  // at the tx ring, of which nobody else has slots now
    signal_there = SIGSTOP;
    points::reached = strike;
    auto port = open("x}7", with_offsets);
    *is_open = true;
    if (must(port.wait(Direction::rx, patience)).empty()) return false;
    *offset = port.rx_rings()[0].slots().front().offset();
    return true;
  });
  ASSERT_TRUE(await([&] { return *is_open || is_struck(receiver); }));
  must(sender.tx_rings()[0].slots().front().set_offset(48));
  ASSERT_TRUE(send_number(sender.tx_rings()[0], 0));
  must(sender.sync_tx());
  ::kill(receiver.id(), SIGCONT);
  EXPECT_TRUE(receiver.succeeded());
  EXPECT_EQ(*offset, 48U);
}

/// A domain more, with its ends.
struct Elsewhere : Points {
  using Points::await_strike;
  using Points::is_locked;
  using Points::start_victim;
  using Points::try_open;
  void TestBody() override {}
};

struct Stopped {
  const char* point;
  std::unique_ptr<Elsewhere> place;
  Process who;
};

/// Everybody who has a lock, each in a domain of its own.
std::vector<Stopped> stop_who_has_a_lock() {
  std::vector<Stopped> all;
  for (const char* point : points::all()) {
    auto place = std::make_unique<Elsewhere>();
    Process victim = place->start_victim(point, SIGSTOP, Random(1));
    EXPECT_TRUE(place->await_strike(victim)) << point << " is never reached";
    if (place->is_locked()) all.push_back({point, std::move(place), std::move(victim)});
  }
  return all;
}

/// Each waits for seconds, so they wait at the same time.
TEST(Stops, WithTheLockLetOthersOpenFailWithASentenceAndThenSucceed) {
  const auto stopped = stop_who_has_a_lock();
  EXPECT_GE(stopped.size(), 10U);
  std::vector<std::future<Result<Port>>> opens;
  for (const Stopped& one : stopped) {
    opens.push_back(
        std::async(std::launch::async, [&one] { return one.place->try_open("z{1", small); }));
  }
  for (std::size_t i = 0; i != stopped.size(); ++i) {
    SCOPED_TRACE(stopped[i].point);
    const auto opened = opens[i].get();
    EXPECT_EQ(code_of(opened), std::errc::timed_out);
    EXPECT_THAT(message_of(opened),
                testing::HasSubstr("has been locked for seconds by the process " +
                                   std::to_string(stopped[i].who.id()) +
                                   "; it may be stopped: continue or end it"));
    ::kill(stopped[i].who.id(), SIGCONT);
    EXPECT_EQ(message_of(stopped[i].place->try_open("z{1", small)), "");
  }
}

}  // namespace
}  // namespace netmap::embedded
