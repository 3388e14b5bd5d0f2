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

  /// Reads all of the capture now. What that fails with is kept back for advance(), as always.
  void preload();
  /// Goes to the next packet; yields whether there is one.
  [[nodiscard]] netmap::Result<bool> advance() {
    if (chunk_ != nullptr && ++record_ != chunk_->records.size()) [[likely]] {
      offset_ += chunk_->records[record_ - 1].stored;
      return true;
    }
    return next_chunk();
  }
  [[nodiscard]] Packet packet() const {
    const Chunk::Record& record = chunk_->records[record_];
    return {std::span(chunk_->bytes).subspan(offset_, record.stored), record.size, record.time};
  }
  /// Whether advance() may have to wait for what follows.
  [[nodiscard]] bool is_last_of_chunk() const { return record_ + 1 == chunk_->records.size(); }
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
  std::size_t record_ = 0;
  std::size_t offset_ = 0;
};

struct ReplayerOptions {
  Speed speed;
  std::uint64_t passes = 1;  ///< 0: without end
  bool preload = false;      ///< all of the capture is read before the first packet is sent
  std::uint64_t count = UINT64_MAX;
  std::uint32_t batch = 512;
  /// How long before a packet is due to look at the clock again and again instead of sleeping.
  std::chrono::nanoseconds spin = std::chrono::microseconds(100);
};

/// Sends the packets of a capture on the first tx ring of a port, in their order.
class Replayer {
 public:
  Replayer(netmap::Port& port, CaptureFile file, const ReplayerOptions& options);

  /// Sends until the end, and then until everything was taken; or until stopped, and then for at
  /// most a second more. A failure is not kept back until somebody takes what was sent.
  netmap::Result<> run(Counters& counters);

  // Not before run() has ended:
  /// By how many nanoseconds packets left later than they were due; empty at top speed.
  [[nodiscard]] const Histogram& lateness() const { return lateness_; }
  /// Packets that no ring could hold, and that were not sent.
  [[nodiscard]] std::uint64_t too_large() const { return too_large_; }
  /// Packets that were sent with zeroes for what was not in the capture.
  [[nodiscard]] std::uint64_t padded() const { return padded_; }
  /// Slots that were sent and that nobody took.
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  [[nodiscard]] bool is_top() const { return options_.speed.kind == Speed::Kind::top; }

  netmap::Result<> send(Counters& counters);
  netmap::Result<> find_next();
  netmap::Result<> advance();
  netmap::Result<> wait_until_due(Clock::time_point now);
  netmap::Result<> wait_for_room();
  netmap::Result<> send_what_is_due(Clock::time_point now, Counters& counters);
  netmap::Result<> fill(Clock::time_point now, Counters& counters);
  netmap::Result<> write(netmap::TxSlots::iterator& slot);
  netmap::Result<> flush(Counters& counters);
  void note_movement(Counters& counters);

  netmap::Port* port_;
  netmap::TxRing* tx_;
  ReplayerOptions options_;
  Playlist list_;
  Schedule schedule_;
  Clock::time_point start_;
  bool is_over_ = false;
  bool has_next_ = false;                  ///< list_.packet() is to be sent
  Clock::time_point due_;                  ///< when
  std::uint32_t needed_ = 0;               ///< its slots
  std::uint32_t last_bytes_ = 0;           ///< in the slot written last
  std::vector<Clock::time_point> filled_;  ///< when the packets of this batch were due
  Histogram lateness_;
  std::uint64_t sent_ = 0;
  std::uint64_t slots_ = 0;
  std::uint64_t too_large_ = 0;
  std::uint64_t padded_ = 0;
  std::size_t left_ = 0;
};

}  // namespace nmx
