// SPDX-License-Identifier: BSD-2-Clause
//
// Eight processes on one switch, which are killed and stopped at any time. This process has no port
// but when all others rest.
#pragma once

#include "soak/member.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace netmap::soak {

class SwitchSoak {
 public:
  SwitchSoak(std::chrono::seconds least, std::uint64_t seed);
  /// Throws a sentence about what is wrong.
  void run();

 private:
  using Clock = std::chrono::steady_clock;
  /// What is there, of which nothing may become more.
  struct Figures {
    std::size_t ports = 0;    ///< of switches
    std::size_t regions = 0;  ///< of these and others, files
    std::size_t files = 0;
    std::size_t buffers = 0;  ///< in use in the region that half of the members share
    std::size_t rings = 0;
    std::size_t interfaces = 0;

    friend bool operator==(const Figures&, const Figures&) = default;
  };

  void start(std::uint32_t member);
  void strike();
  void kill(std::uint32_t member);
  void stop(std::uint32_t member);
  void wreak_havoc(Clock::time_point until);
  void rest();
  void end();

  void begin(Act::Kind kind, std::uint32_t member = 0);
  void do_together(Act::Kind kind, std::uint32_t member = 0);
  void take_turns();
  void collect();
  void check_losses() const;
  void check_figures();
  [[nodiscard]] Figures measure() const;
  void check_members();
  template <class Holds>
  void await(const char* what, Holds holds);
  [[nodiscard]] std::uint64_t sum(std::atomic<std::uint64_t> Table::Member::* figure) const;

  std::chrono::seconds least_;
  Random random_;
  ScratchDirectory domain_;
  Shared<Stage> stage_;
  Shared<Table> table_;
  Opener opener_;
  std::array<std::optional<Process>, members> members_;
  std::optional<Figures> first_;
  std::uint16_t acts_ = 0;
  std::uint64_t kills_ = 0;
  std::uint64_t stops_ = 0;
  std::uint64_t rests_ = 0;
};

}  // namespace netmap::soak
