// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "histogram.hpp"
#include "read_ahead.hpp"
#include "speed.hpp"
#include "traffic.hpp"

#include <netmap/netmap.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace nmx {

/// The packets of a capture, once or again and again. Nothing is kept unless it comes again, or was
/// preloaded.
class Playlist {
 public:
  struct Packet {
    std::span<const std::byte> bytes;
    std::uint32_t size;  ///< zeroes stand for those that a snap length cut
    std::chrono::nanoseconds time;
  };

  /// `passes` 0: without end.
  Playlist(CaptureFile file, std::uint64_t passes) : source_(std::move(file)), passes_(passes) {}

  /// Reads all of the capture now, or until stopped. What that fails with is kept back for
  /// advance(), as always.
  void preload();
  /// Goes to the next packet; yields whether there is one. It may have to be waited for.
  [[nodiscard]] netmap::Result<bool> advance() {
    return advance_in_chunk() ? netmap::Result<bool>(true) : next_chunk();
  }
  /// Goes to the next packet if that has been read.
  bool advance_in_chunk() {
    if (left_in_chunk_ == 0) return false;
    ++record_;
    --left_in_chunk_;
    return true;
  }
  [[nodiscard]] Packet packet() const {
    return {
        {chunk_->bytes.data() + record_->offset, record_->stored}, record_->size, record_->time};
  }
  /// How often the capture has come to its end.
  [[nodiscard]] std::uint64_t passes() const { return done_; }

 private:
  netmap::Result<bool> next_chunk();
  netmap::Result<std::shared_ptr<const Chunk>> read();

  ReadAhead source_;
  std::uint64_t passes_;
  std::uint64_t done_ = 0;
  std::vector<std::shared_ptr<const Chunk>> kept_;
  std::size_t next_kept_ = 0;
  std::shared_ptr<const Chunk> chunk_;
  const Chunk::Record* record_ = nullptr;
  std::size_t left_in_chunk_ = 0;  ///< behind record_
};

struct ReplayerOptions {
  Speed speed;
  std::uint64_t passes = 1;  ///< 0: without end
  std::uint64_t count = UINT64_MAX;
  std::uint32_t batch = 512;
  /// How long before a packet is due to look at the clock again and again instead of sleeping; and
  /// how long to look again for room before that.
  std::chrono::nanoseconds spin = std::chrono::microseconds(100);
};

/// Sends the packets of a capture on the first tx ring of a port, in their order.
class Replayer {
 public:
  Replayer(netmap::Port& port, CaptureFile file, const ReplayerOptions& options);

  /// Reads all of the capture before the first packet is sent, or until stopped.
  void preload() { list_.preload(); }
  /// Sends until the end, and then until everything was taken; or until stopped, and then for at
  /// most a second more. A failure is not kept back until somebody takes what was sent.
  netmap::Result<> run(Counters& counters);

  // Not before run() has ended:
  /// By how many nanoseconds packets left later than they were due; empty at top speed.
  [[nodiscard]] const Histogram& lateness() const { return lateness_; }
  /// Whether all was sent that there was to send.
  [[nodiscard]] bool is_complete() const { return is_complete_; }
  /// Packets that no ring could hold, and that were not sent.
  [[nodiscard]] std::uint64_t too_large() const { return too_large_; }
  /// Packets that were sent with zeroes for what was not in the capture.
  [[nodiscard]] std::uint64_t padded() const { return padded_; }
  /// Slots that were sent and that nobody took.
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  struct Next {
    Clock::time_point due;
    std::uint32_t slots;
  };

  [[nodiscard]] bool is_top() const { return options_.speed.kind == Speed::Kind::top; }

  netmap::Result<> send(Counters& counters);
  netmap::Result<> find_next();
  netmap::Result<> advance();
  [[nodiscard]] std::optional<Next> plan();
  netmap::Result<> wait_until_due(Clock::time_point now);
  netmap::Result<> wait_for_room();
  netmap::Result<> send_what_is_due(Clock::time_point now, Counters& counters);
  netmap::Result<std::uint64_t> fill(Clock::time_point now, Counters& counters);
  netmap::Result<> write_pieces(const netmap::TxSlots& free, std::ptrdiff_t first,
                                std::uint32_t slots);
  netmap::Result<> flush(Counters& counters);
  void note_movement(Counters& counters);

  netmap::Port* port_;
  netmap::TxRing* tx_;
  ReplayerOptions options_;
  Playlist list_;
  Schedule schedule_;
  Clock::time_point start_;
  bool is_over_ = false;
  bool is_complete_ = false;
  std::optional<Next> next_;             ///< list_.packet(), if that is to be sent
  std::uint32_t last_bytes_ = 0;         ///< in the slot written last
  std::vector<Clock::time_point> dues_;  ///< of the packets of a batch
  Histogram lateness_;
  std::uint64_t sent_ = 0;
  std::uint64_t slots_ = 0;
  std::uint64_t too_large_ = 0;
  std::uint64_t padded_ = 0;
  std::size_t left_ = 0;
};

}  // namespace nmx
