// SPDX-License-Identifier: BSD-2-Clause
//
// A forwarder dies, or is stopped for a while, at every point that the library names. The packets
// it forwards arrive, each once and in order, and in the end nothing is missing. NETMAP_ROUNDS says
// how often each point is tried.
#include "embedded/support.hpp"

#include "point.hpp"

#include <csignal>
#include <cstdlib>
#include <string_view>

#include <sys/wait.h>

namespace netmap::embedded {
namespace {

const PortOptions small{.conf = {.tx_slots = 16, .rx_slots = 16}, .extra_buffers = 5};

/// Long enough to fall asleep.
constexpr auto blink = std::chrono::milliseconds(1);

/// What the victim does at which point.
const char* chosen = nullptr;
int passes = 0;
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
  /// Opens, forwards a little, and closes.
  void forward_some(Random random) {
    // Not after the strike: then this process may be killed any time, and its child would live on.
    if (passes >= 0 && random.below(2) == 0) leave_a_corpse();
    if (random.below(2) == 0) (void)open("y{1", small);  // a pipe and a region that come and go
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
  [[nodiscard]] std::size_t buffers() const { return InDomain::buffers(source_.info().memory_id); }
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
  /// Waits, serving, until the victim has died or stopped.
  [[nodiscard]] bool await_strike(const Process& victim) {
    return await([&] {
      serve();
      siginfo_t info{};
      return ::waitid(P_PID, static_cast<id_t>(victim.id()), &info,
                      WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
             info.si_pid == victim.id();
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
  const std::size_t at_rest = buffers();
  for (const char* point : points::all()) {
    for (std::uint64_t round = 0; round != rounds(); ++round) {
      SCOPED_TRACE(std::string(point) + ", round " + std::to_string(round));
      Process victim = start_victim(point, SIGKILL, Random(round));
      ASSERT_TRUE(await_strike(victim)) << "it is never reached";
      victim.kill();
      settle();
      ASSERT_FALSE(HasFailure());
      ASSERT_EQ(buffers(), at_rest);
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

}  // namespace
}  // namespace netmap::embedded
