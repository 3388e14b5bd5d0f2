// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "capture_file.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace nmx {

/// Packets of a capture, one behind the other.
struct Chunk {
  struct Record {
    std::chrono::nanoseconds time;
    std::size_t offset;    ///< of its bytes
    std::uint32_t size;    ///< of the packet
    std::uint32_t stored;  ///< how many of its bytes are in the capture
  };

  std::vector<Record> records;
  std::vector<std::byte> bytes;
};

/// Reads a capture in a thread of its own, a bounded number of chunks ahead of who sends it. What a
/// stream holds so far is a chunk, however little that is.
class ReadAhead {
 public:
  explicit ReadAhead(CaptureFile file);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead();

  /// The next chunk; null at the end, or once stopped. A damage is what it fails with, after all
  /// that was whole before it.
  [[nodiscard]] netmap::Result<std::shared_ptr<const Chunk>> next();

 private:
  netmap::Result<> read(const std::stop_token& stop);
  netmap::Result<bool> fill(Chunk& chunk, const std::stop_token& stop);
  void hand_over(std::shared_ptr<const Chunk> chunk, const std::stop_token& stop);

  CaptureFile file_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::shared_ptr<const Chunk>> chunks_;
  std::optional<netmap::Result<>> end_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace nmx
