// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "dedup_window.hpp"
#include "traffic.hpp"

#include <netmap/netmap.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace nmx {

struct DedupOptions {
  std::size_t packets = 10;
  std::chrono::nanoseconds age{50'000};
  std::uint32_t batch = 1024;
};

/// Forwards packets from one port to another, without those that are equal to one shortly before,
/// whichever rings they came by. Nothing else is dropped: a port that takes no more holds up the
/// other.
class DedupPump {
 public:
  DedupPump(netmap::Port& in, netmap::Port& out, const DedupOptions& options);

  [[nodiscard]] bool is_zero_copy() const;
  /// Forwards until stopped or until nothing can come any more, and then lets what was sent be
  /// taken for at most a second.
  netmap::Result<> run(Counters& counters);

  [[nodiscard]] std::uint64_t duplicates() const { return duplicates_; }
  /// Slots that were sent and that nobody took.
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  netmap::Result<std::uint64_t> round(Counters& counters);
  netmap::Result<std::uint64_t> move(std::size_t ring, Clock::time_point now, Counters& counters);
  [[nodiscard]] bool is_duplicate(const netmap::Packet& packet, Clock::time_point now);
  netmap::Result<bool> wait(std::chrono::nanoseconds timeout);

  netmap::Port* in_;
  netmap::Port* out_;
  DedupWindow window_;
  std::uint32_t batch_;
  bool has_ended_ = false;   ///< a capture that has been read to its end
  bool has_unsent_ = false;  ///< since the last sync
  std::atomic<std::uint64_t> duplicates_ = 0;
  std::size_t left_ = 0;
};

}  // namespace nmx
