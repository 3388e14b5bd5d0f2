// SPDX-License-Identifier: BSD-2-Clause
//
// The run: one survivor, one forwarder after the other, and processes beside. This process has no
// port itself.
#pragma once

#include "soak/accounts.hpp"
#include "soak/forwarder.hpp"
#include "soak/stage.hpp"
#include "soak/tally.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace netmap::soak {

/// Blocks the signals that await() is told of, for this process and those it makes.
void block_signals();

class Soak {
 public:
  Soak(const Goals& goals, std::uint64_t seed);
  /// Until the goals are reached; throws a sentence about what is wrong.
  void run();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Fate : std::uint8_t { ended, killed };

  [[nodiscard]] std::chrono::seconds since() const;
  [[nodiscard]] bool is_done() const;

  Plan draw_plan();
  Plan draw_point(Plan plan);
  void live(const Plan& plan);
  Fate await_end(Process& forwarder, const Plan& plan);
  void let_it_go_on(const Process& stopped);
  void count(const Plan& plan, Fate fate);

  void start_beside();
  /// Reaps it if it has ended, or waits for that.
  void look_beside(bool waits);

  void hoard() const;
  void warm_up();
  void rest();
  void end();

  void await_signal() const;
  void check_survivor() const;
  [[noreturn]] void fail_of(const char* who, const std::string& how) const;
  [[noreturn]] void fail_hanging(const Plan& plan) const;

  Goals goals_;
  std::uint64_t seed_;
  Random random_;
  Clock::time_point start_ = Clock::now();
  ScratchDirectory domain_;
  ScratchDirectory files_;
  Shared<Stage> stage_;
  Opener opener_;
  std::optional<Process> survivor_;
  std::optional<Process> beside_;
  Clock::time_point beside_since_{};
  Tally tally_;
  bool was_killed_ = false;   ///< the last forwarder was
  std::uint32_t missed_ = 0;  ///< since one was killed at a point
  std::optional<Figures> first_;
  Figures last_;
};

}  // namespace netmap::soak
