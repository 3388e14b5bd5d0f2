// SPDX-License-Identifier: BSD-2-Clause
#include "read_ahead.hpp"

#include "stop.hpp"

#include <algorithm>
#include <utility>

namespace nmx {

using netmap::Result;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t chunk_bytes = std::size_t{256} << 10;
constexpr std::size_t most_packets = 4096;
constexpr std::size_t most_chunks = 16;

bool is_full(const Chunk& chunk) {
  return chunk.bytes.size() >= chunk_bytes || chunk.records.size() >= most_packets;
}

bool must_stop(const std::stop_token& stop) {
  return stop.stop_requested() || stop_requested();
}

void add(Chunk& chunk, const CaptureFile::Packet& packet) {
  const auto stored = static_cast<std::uint32_t>(packet.bytes.size());
  chunk.records.push_back({packet.time, chunk.bytes.size(), std::max(packet.size, stored), stored});
  chunk.bytes.insert(chunk.bytes.end(), packet.bytes.begin(), packet.bytes.end());
}

}  // namespace

ReadAhead::ReadAhead(CaptureFile file)
    : file_(std::move(file)), thread_([this](const std::stop_token& stop) {
        auto done = read(stop);
        const std::scoped_lock lock(mutex_);
        end_ = std::move(done);
        changed_.notify_all();
      }) {}

ReadAhead::~ReadAhead() = default;

Result<> ReadAhead::read(const std::stop_token& stop) {
  file_.give_up_on(stop);
  Result<bool> goes_on = true;
  while (goes_on && *goes_on && !stop.stop_requested()) {
    auto chunk = std::make_shared<Chunk>();
    chunk->bytes.reserve(chunk_bytes);
    goes_on = fill(*chunk, stop);
    if (!chunk->records.empty()) hand_over(std::move(chunk), stop);
  }
  if (!goes_on) return std::unexpected(goes_on.error());
  return {};
}

/// Yields whether more may follow.
Result<bool> ReadAhead::fill(Chunk& chunk, const std::stop_token& stop) {
  while (!is_full(chunk)) {
    while (!file_.is_ready(chunk.records.empty() ? slice : 0ms)) {
      if (!chunk.records.empty()) return true;
      if (must_stop(stop)) return false;
    }
    const auto packet = file_.next();
    if (!packet && must_stop(stop)) return false;
    if (!packet) return std::unexpected(packet.error());
    if (!*packet) return false;
    add(chunk, **packet);
  }
  return true;
}

void ReadAhead::hand_over(std::shared_ptr<const Chunk> chunk, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [this] { return chunks_.size() < most_chunks; })) return;
  chunks_.push_back(std::move(chunk));
  changed_.notify_all();
}

Result<std::shared_ptr<const Chunk>> ReadAhead::next() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, slice, [this] { return !chunks_.empty() || end_; })) {
    if (stop_requested()) return nullptr;
  }
  if (!chunks_.empty()) {
    auto chunk = std::move(chunks_.front());
    chunks_.pop_front();
    changed_.notify_all();
    return chunk;
  }
  if (!*end_) return std::unexpected(end_->error());
  return nullptr;
}

}  // namespace nmx
