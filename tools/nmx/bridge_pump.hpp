// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "traffic.hpp"

#include <netmap/netmap.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace nmx {

/// Forwards packets between two ports, both ways, or from a port to itself. Nothing is dropped: a
/// port that takes no more holds up the other.
class BridgePump {
 public:
  BridgePump(netmap::Port& a, netmap::Port& b, std::uint32_t batch);

  /// Whether packets can go at least one way.
  [[nodiscard]] bool has_a_way() const { return is_open(0) || is_open(1); }
  /// Whether every packet moves by exchanging buffers.
  [[nodiscard]] bool is_zero_copy() const;
  /// Forwards until stopped or until nothing can come any more, and then lets what was sent be
  /// taken for at most a second.
  netmap::Result<> run(Counters& counters);

  /// Packets so far from the first port to the second, and from the second to the first.
  [[nodiscard]] std::uint64_t forward() const { return moved_[0]; }
  [[nodiscard]] std::uint64_t backward() const { return moved_[1]; }
  /// Slots that were sent and that nobody took.
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  /// From ports_[way] to ports_[1 - way].
  using Way = std::size_t;

  [[nodiscard]] bool is_open(Way way) const {
    const bool is_there = way == 0 || ports_[0] != ports_[1];
    return is_there && !has_ended_[way] && !ports_[way]->rx_rings().empty() &&
           !ports_[1 - way]->tx_rings().empty();
  }
  [[nodiscard]] std::span<netmap::Port* const> each_port() const {
    return std::span(ports_).first(ports_[0] == ports_[1] ? 1 : 2);
  }
  netmap::Result<std::uint64_t> round(Counters& counters);
  netmap::Result<std::uint64_t> move(Way way, Counters& counters);
  netmap::Result<> look(Way way);
  netmap::Result<bool> wait(std::chrono::nanoseconds timeout);
  netmap::Result<> drain();

  std::array<netmap::Port*, 2> ports_;
  std::uint32_t batch_;
  std::array<bool, 2> has_ended_{};   ///< captures that have been read to their end
  std::array<bool, 2> has_unsent_{};  ///< since the port's last sync
  std::array<std::atomic<std::uint64_t>, 2> moved_{};
  std::size_t left_ = 0;
};

}  // namespace nmx
