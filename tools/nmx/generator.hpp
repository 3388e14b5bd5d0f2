// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "latencies.hpp"
#include "packets.hpp"
#include "rate.hpp"
#include "traffic.hpp"

#include <netmap/netmap.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace nmx {

/// One thread's part of nmx gen.
struct GeneratorOptions {
  PacketOptions packet;
  std::uint64_t count = UINT64_MAX;
  std::chrono::nanoseconds limit{0};  ///< stop after so long, 0 for no limit
  std::uint32_t batch = 512;
  double rate = 0;  ///< packets a second, 0 for as many as go
  std::uint32_t flow = 0;
  std::uint64_t seed = 0;
  Latencies* latencies = nullptr;  ///< where the departure of numbered packets is noted
};

/// Fails with packet_too_large if a ring of the port cannot hold the longest of these packets.
[[nodiscard]] netmap::Result<> check_fit(netmap::Port& port, const PacketOptions& packet);

/// Sends packets on all tx rings of a port.
class Generator {
 public:
  Generator(netmap::Port& port, const GeneratorOptions& options);

  /// Sends until the count is reached, and then until everything was taken; or until stopped or
  /// the limit is over, and then for at most a second more.
  netmap::Result<> run(Counters& counters);
  /// Packets that were handed over.
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  /// Slots that were sent and that nobody took.
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  /// What was written to a ring.
  struct Filled {
    netmap::TxSlots::iterator end;
    std::uint64_t packets;
    std::uint64_t bytes;
    std::uint32_t last_bytes;  ///< in the last slot
  };

  netmap::Result<> send(Counters& counters);
  netmap::Result<std::uint64_t> fill_rings(std::uint64_t limit, Counters& counters);
  netmap::Result<std::uint64_t> fill(std::size_t ring, std::uint64_t limit, Counters& counters);
  netmap::Result<Filled> repeat(netmap::TxRing& tx, std::uint64_t written, std::uint64_t limit);
  netmap::Result<Filled> write(netmap::TxRing& tx, std::uint64_t limit);
  netmap::Result<> write_packet(netmap::TxSlots::iterator& slot, std::uint32_t size,
                                std::uint32_t slots);
  netmap::Result<> wait_for_room(std::uint64_t limit);
  netmap::Result<> flush(Counters& counters);
  void note_movement(Counters& counters);
  [[nodiscard]] bool must_stop() const;
  [[nodiscard]] std::uint32_t slots_for_next(const netmap::Ring& ring) const;

  netmap::Port* port_;
  GeneratorOptions options_;
  PacketSource source_;
  std::optional<RateLimiter> limiter_;
  std::vector<std::uint64_t> written_;  ///< packets so far, ring by ring
  Clock::time_point end_ = Clock::time_point::max();
  std::uint64_t sent_ = 0;
  std::uint64_t slots_ = 0;
  std::size_t left_ = 0;
};

}  // namespace nmx
