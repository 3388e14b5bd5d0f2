// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "line.hpp"
#include "line_stats.hpp"
#include "traffic.hpp"

#include <netmap/netmap.hpp>

#include <array>
#include <chrono>
#include <cstdint>

namespace nmx {

struct EmulatorOptions {
  LinkOptions link;
  std::uint64_t seed = 1;
  std::uint32_t batch = 1024;
  /// How long to look again and again before sleeping, and to be awake before a packet is due.
  std::chrono::nanoseconds spin{0};
};

/// An emulated link between two ports. One thread serves both ways: it takes whatever comes from
/// all rx rings, holds it as the lines have it, and sends it on the other's first tx ring. A port
/// that takes no packets makes those for it late, and in the end fills the line's memory; the other
/// way does not feel it.
class Emulator {
 public:
  Emulator(netmap::Port& a, netmap::Port& b, const EmulatorOptions& options, LinkLog& log);

  /// Whether packets can go at least one way.
  [[nodiscard]] bool has_a_way() const { return is_open(0) || is_open(1); }
  /// Until stopped, and then what is under way is forgotten; or until nothing can come any more,
  /// and nothing is under way.
  netmap::Result<> run(Counters& counters);

 private:
  /// From ports_[way] to ports_[1 - way].
  using Way = std::size_t;
  using BothWanted = std::array<netmap::Directions, 2>;

  [[nodiscard]] bool is_open(Way way) const {
    return !has_ended_[way] && !ports_[way]->rx_rings().empty() &&
           !ports_[1 - way]->tx_rings().empty();
  }
  [[nodiscard]] bool has_more() const;
  netmap::Result<bool> round(Counters& counters);
  netmap::Result<std::uint64_t> receive(Way way);
  netmap::Result<std::uint64_t> receive(Way way, netmap::RxRing& ring, LineStats& stats);
  netmap::Result<std::uint64_t> release(Way way, Counters& counters);
  netmap::Result<std::uint64_t> send_what_is_due(Way way, LineStats& stats);
  [[nodiscard]] std::uint32_t slots_of_next(Way way);
  netmap::Result<> wait(Clock::time_point now);
  netmap::Result<bool> ask(Way way, Clock::time_point now, BothWanted& wanted,
                           Clock::time_point& until);
  netmap::Result<> drain();

  std::array<netmap::Port*, 2> ports_;
  EmulatorOptions options_;
  LinkLog* log_;
  std::array<Line, 2> lines_;
  std::array<bool, 2> has_ended_{};  ///< captures that have been read to their end
};

}  // namespace nmx
