// SPDX-License-Identifier: BSD-2-Clause
//
// An emulated line, one way: the packets under way on it, which it holds as copies.
#pragma once

#include "line_schedule.hpp"
#include "packet_fifo.hpp"

#include <netmap/packet.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace nmx {

class Line {
 public:
  Line(const LineOptions& options, std::uint64_t seed)
      : schedule_(options, seed), hold_(options.hold) {}

  /// Puts a copy of a packet on the line, unless it is not to arrive. `now` must not go back from
  /// call to call. Fails with ring_corrupt if the other side broke the packet, and with
  /// packet_too_large if it made it longer meanwhile.
  [[nodiscard]] netmap::Result<Fate> take(const netmap::Packet& packet, Clock::time_point now);

  /// When the next packet leaves; time_point::max() if none is under way.
  [[nodiscard]] Clock::time_point due() const;
  /// That packet, good until pop(). Precondition here and there: there is one.
  [[nodiscard]] std::span<const std::byte> front() { return next().front().bytes; }
  void pop() { next().pop(); }

  /// Bytes that wait for the bandwidth.
  [[nodiscard]] std::size_t queued(Clock::time_point now) const { return schedule_.queued(now); }
  /// Packets under way.
  [[nodiscard]] std::size_t held() const { return straight_.size() + held_back_.size(); }

 private:
  [[nodiscard]] PacketFifo& next();

  LineSchedule schedule_;
  std::size_t hold_;
  // Each in the order in which they leave.
  PacketFifo straight_;
  PacketFifo held_back_;
};

}  // namespace nmx
