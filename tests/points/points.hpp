// SPDX-License-Identifier: BSD-2-Clause
//
// A forwarder between two pipes, which dies or is stopped at a point of the library's, and what is
// at either end.
#pragma once

#include "embedded/support.hpp"

#include "os/files.hpp"
#include "point.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>

namespace netmap::embedded {

/// In the memory of interfaces.
inline const PortOptions small{
    .conf = {.tx_slots = 16, .rx_slots = 16}, .extra_buffers = 5, .memory_id = 1};
inline const PortOptions with_offsets{.conf = {.tx_slots = 16, .rx_slots = 16},
                                      .offset = DataOffset{.initial = 32, .bits = 0, .max = 64}};

/// Long enough to fall asleep.
inline constexpr auto blink = std::chrono::milliseconds(1);

/// What the victim does at which point.
inline const char* chosen = nullptr;
inline std::atomic<int> passes = 0;
inline int signal_there = 0;

inline void strike(const char* name) {
  if (chosen == nullptr || std::string_view(name) != chosen || passes-- != 0) return;
  ::kill(::getpid(), signal_there);
}

class Points : public InDomain {
 protected:
  Port source_ = open("x{1", small);
  Port sink_ = open("x}2", small);
  /// What the forwarder opens.
  std::string inlet_ = "x}1";
  std::string outlet_ = "x{2";
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;

  /// What there is to do at either end.
  virtual void serve() {
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
      auto from = open(inlet_, small);
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
  /// Whether the strike is to come. After it a victim may be killed any time, and would leave
  /// children behind.
  [[nodiscard]] static bool is_due() { return passes >= 0; }
  /// Opens, forwards a little, and closes.
  virtual void forward_some(Random random) {
    if (is_due() && random.below(2) == 0) leave_a_corpse();
    if (random.below(2) == 0) use_another_pipe("x");
    if (random.below(2) == 0) use_another_pipe("y");  // so does its region
    auto from = open(inlet_, small);
    auto to = open(outlet_, small);
    for (std::uint64_t turns = 1 + random.below(20); turns != 0; --turns) {
      (void)must(from.wait(Direction::rx, blink));
      (void)must(to.wait(Direction::tx, blink));
      (void)must(forward(from.rx_rings()[0], to.tx_rings()[0], 1 + random.below(8)));
      must(to.sync_tx());
      must(from.sync_rx());
    }
  }
  /// Of the regions that a victim uses.
  [[nodiscard]] virtual std::vector<InUse> in_use() const {
    return {InDomain::in_use(source_.info().memory_id)};
  }
  /// Waits until the kernel, too, has taken notice of a death.
  virtual void await_end() {}
  /// Lets a sound forwarder bring everything home, twice, so that what was lost is found.
  virtual void settle() {
    for (int life = 0; life != 2; ++life) {
      auto from = open(inlet_, small);
      auto to = open(outlet_, small);
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

  /// A victim dies at each of `points`, and everything is given back.
  void kill_at(const std::vector<const char*>& points) {
    settle();
    const auto before = in_use();
    for (const char* point : points) {
      for (std::uint64_t round = 0; round != rounds(); ++round) {
        SCOPED_TRACE(std::string(point) + ", round " + std::to_string(round));
        Process victim = start_victim(point, SIGKILL, Random(round));
        ASSERT_TRUE(await_strike(victim)) << "it is never reached";
        victim.kill();
        await_end();
        settle();
        ASSERT_FALSE(HasFailure());
        ASSERT_EQ(in_use(), before);
      }
    }
  }
  /// What others do while a victim is stopped.
  virtual void meanwhile() {
    for (int turn = 0; turn != 20; ++turn) serve();
  }
  /// A victim is stopped at each, others go on, and it forwards `packets` more when it goes on.
  void stop_at(const std::vector<const char*>& points, std::uint64_t packets) {
    for (const char* point : points) {
      SCOPED_TRACE(point);
      Process victim = start_victim(point, SIGSTOP, Random(1));
      ASSERT_TRUE(await_strike(victim)) << "it is never reached";
      meanwhile();
      ::kill(victim.id(), SIGCONT);
      const std::uint64_t until = received_ + packets;
      ASSERT_TRUE(await([&] {
        serve();
        return received_ >= until || HasFailure();
      }));
      victim.kill();
      settle();
      ASSERT_FALSE(HasFailure());
    }
  }

 private:
  static std::uint64_t rounds() {
    const char* const asked = std::getenv("NETMAP_ROUNDS");
    return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 1;
  }
};

/// Those whose names begin with one of these.
inline std::vector<const char*> points_of(std::initializer_list<std::string_view> kinds) {
  std::vector<const char*> some = points::all();
  std::erase_if(some, [&](std::string_view point) {
    return std::ranges::none_of(kinds, [&](auto kind) { return point.starts_with(kind); });
  });
  return some;
}

/// Those that are reached without an interface or a switch.
inline std::vector<const char*> points_of_pipes() {
  std::vector<const char*> some = points::all();
  std::erase_if(some, points::is_of_interfaces);
  std::erase_if(some, points::is_of_switches);
  return some;
}

}  // namespace netmap::embedded
