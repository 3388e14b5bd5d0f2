// SPDX-License-Identifier: BSD-2-Clause
#include "replayer.hpp"

#include "awake.hpp"
#include "flush.hpp"
#include "packets.hpp"
#include "slot_buffer.hpp"
#include "stop.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

namespace nmx {

using netmap::Result;
using netmap::TxRing;
using netmap::TxSlot;
using netmap::TxSlots;
using namespace std::chrono_literals;

// ---- The packets -------------------------------------------------------------------------------

void Playlist::preload() {
  while (!stop_requested()) {
    auto chunk = source_.next();
    if (!chunk || *chunk == nullptr) return;
    kept_.push_back(std::move(*chunk));
  }
}

Result<bool> Playlist::next_chunk() {
  auto next = read();
  if (!next) return std::unexpected(next.error());
  if (*next == nullptr && chunk_ != nullptr && !stop_requested() && ++done_ != passes_) {
    next_kept_ = 1;
    *next = kept_.front();
  }
  chunk_ = std::move(*next);
  if (chunk_ == nullptr) return false;
  record_ = chunk_->records.data();
  left_in_chunk_ = chunk_->records.size() - 1;
  return true;
}

/// The next chunk of this pass; null at its end.
Result<std::shared_ptr<const Chunk>> Playlist::read() {
  if (next_kept_ != kept_.size()) return kept_[next_kept_++];
  auto chunk = source_.next();
  if (chunk && *chunk != nullptr && passes_ != 1) {
    kept_.push_back(*chunk);
    next_kept_ = kept_.size();
  }
  return chunk;
}

// ---- Onto the ring -----------------------------------------------------------------------------

Replayer::Replayer(netmap::Port& port, CaptureFile file, const ReplayerOptions& options)
    : port_(&port),
      tx_(&port.tx_rings().front()),
      options_(options),
      list_(std::move(file), options.passes),
      schedule_(options.speed),
      dues_(tx_->num_slots()) {
  for (TxRing& other : port.tx_rings().subspan(1)) other.want_none();
}

Result<> Replayer::run(Counters& counters) {
  auto done = find_next();
  start_ = Clock::now();
  if (next_) next_->due = start_;
  counters.set_first(start_);
  if (done) done = send(counters);
  is_complete_ = !stop_requested();
  if (done) done = flush(counters);
  counters.set_last(Clock::now());
  return done;
}

Result<> Replayer::send(Counters& counters) {
  while (next_ && !stop_requested()) {
    const auto now = is_top() ? next_->due : Clock::now();
    if (next_->due > now) {
      if (auto waited = wait_until_due(now); !waited) return waited;
      continue;
    }
    if (is_top() || tx_->slots().size() < next_->slots) {
      if (auto waited = wait_for_room(); !waited) return waited;
    }
    note_movement(counters);
    if (auto sent = send_what_is_due(now, counters); !sent) return sent;
    if (auto found = find_next(); !found) return found;
  }
  return {};
}

Result<> Replayer::find_next() {
  Result<> done;
  while (done && !next_ && !is_over_) done = advance();
  return done;
}

/// Past one packet, which may take its time.
Result<> Replayer::advance() {
  const std::uint64_t pass = list_.passes();
  const auto there = sent_ == options_.count ? Result<bool>(false) : list_.advance();
  if (!there) return std::unexpected(there.error());
  is_over_ = !*there;
  if (is_over_) return {};
  if (list_.passes() != pass) schedule_.begin_anew();
  next_ = plan();
  return {};
}

/// Of the packet at which the list is; nothing if the ring cannot hold it.
inline std::optional<Replayer::Next> Replayer::plan() {
  const auto packet = list_.packet();
  const std::uint32_t buffer = tx_->buffer_size();
  const std::uint32_t slots = packet.size <= buffer ? 1 : slots_for(packet.size, 1, buffer);
  const auto most =
      std::min<std::uint32_t>(netmap::PacketWriter::max_fragments, tx_->num_slots() - 1);
  if (slots != 1 && slots > most) [[unlikely]] {
    ++too_large_;
    return std::nullopt;
  }
  return Next{start_ + schedule_.next(packet.time, packet.size), slots};
}

/// Sleeps until shortly before, and then returns again and again. A fault's delay needs the sync.
Result<> Replayer::wait_until_due(Clock::time_point now) {
  if (options_.spin >= next_->due - now) return {};
  if (auto synced = port_->sync_tx(); !synced) return synced;
  std::this_thread::sleep_until(std::min(next_->due - options_.spin, now + slice));
  return {};
}

/// At top speed, once the ring is full, for room for a batch, or for half a ring if that is less:
/// whoever takes a slot at a time would otherwise make us send a slot at a time. What has a time is
/// late already. Looks again before it sleeps, for a slice in all.
Result<> Replayer::wait_for_room() {
  const std::uint32_t needed = next_->slots;
  const bool is_full = tx_->slots().size() < needed;
  const std::uint32_t many = std::min(options_.batch, (tx_->num_slots() - 1) / 2);
  const std::uint32_t wanted = is_full && is_top() ? std::max(needed, many) : needed;
  if (auto asked = tx_->want(wanted); !asked) return asked;
  for (Awake awake(options_.spin);; awake.found_nothing()) {
    const auto timeout = awake.timeout();
    const auto ready = port_->wait(netmap::Direction::tx, timeout);
    if (!ready) return std::unexpected(ready.error());
    const auto since = awake.idle_since();
    if (!ready->empty() || timeout != 0ns || (since && Clock::now() - *since >= slice)) return {};
  }
}

Result<> Replayer::send_what_is_due(Clock::time_point now, Counters& counters) {
  const auto filled = fill(now, counters);
  if (!filled) return std::unexpected(filled.error());
  if (is_top() && next_) return {};  // the wait for room syncs
  if (auto synced = port_->sync_tx(); !synced) return synced;
  if (is_top()) return {};
  const auto sent = Clock::now();
  for (const auto due : std::span(dues_).first(*filled)) {
    lateness_.add(static_cast<std::uint64_t>((sent - due).count()));
  }
  return {};
}

/// One batch, at most to the end of what has been read: what follows may have to be waited for.
/// Yields how many packets that were.
Result<std::uint64_t> Replayer::fill(Clock::time_point now, Counters& counters) {
  const auto free = tx_->slots();
  counters.see_free_slots(free.size());
  netmap::LookAhead ahead(free);
  auto slot = free.begin();
  std::size_t room = free.size();
  const std::uint64_t left = options_.count - sent_;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  auto next = next_;
  while (next && packets != options_.batch && next->due <= now && next->slots <= room) {
    const auto packet = list_.packet();
    if (next->slots == 1 && packet.bytes.size() == packet.size) [[likely]] {
      TxSlot to = *slot;
      if (auto written = to.write(packet.bytes); !written) [[unlikely]]
        return std::unexpected(written.error());
      last_bytes_ = packet.size;
      ++slot;
      ahead.step();
    } else {
      const auto written = write_pieces(free, slot - free.begin(), next->slots);
      if (!written) return std::unexpected(written.error());
      slot += next->slots;
      ahead.step(next->slots);
    }
    dues_[packets++] = next->due;
    room -= next->slots;
    bytes += packet.size;
    next = packets != left && list_.advance_in_chunk() ? plan() : std::nullopt;
  }
  next_ = next;
  if (packets == 0) return 0;
  // Without NS_REPORT a network card may say late, or never, that it has sent the last ones.
  TxSlot last = slot[-1];
  if (auto set = last.set_length(last_bytes_, netmap::abi::slot_flags::report); !set) {
    return std::unexpected(set.error());
  }
  sent_ += packets;
  slots_ += static_cast<std::uint64_t>(slot - free.begin());
  counters.add(packets, bytes);
  if (auto committed = tx_->commit(slot); !committed) return std::unexpected(committed.error());
  return packets;
}

/// What is longer than a buffer, or was cut.
Result<> Replayer::write_pieces(const TxSlots& free, std::ptrdiff_t first, std::uint32_t slots) {
  const auto packet = list_.packet();
  auto stored = packet.bytes;
  std::uint32_t left = packet.size;
  auto slot = free.begin() + first;
  for (; slots != 0; --slots, ++slot) {
    TxSlot to = *slot;
    last_bytes_ = std::min(left, tx_->buffer_size());
    const auto flags = slots > 1 ? netmap::abi::slot_flags::more_fragments : std::uint16_t{0};
    if (auto set = to.set_length(last_bytes_, flags); !set) return set;
    const auto into = to_be_sent(to, last_bytes_);
    if (!into) return std::unexpected(into.error());
    const auto part = stored.first(std::min<std::size_t>(stored.size(), last_bytes_));
    if (!part.empty()) std::memcpy(into->data(), part.data(), part.size());
    std::ranges::fill(into->subspan(part.size()), std::byte{0});
    stored = stored.subspan(part.size());
    left -= last_bytes_;
  }
  padded_ += packet.bytes.size() < packet.size ? 1 : 0;
  return {};
}

Result<> Replayer::flush(Counters& counters) {
  const auto left = nmx::flush(*port_, stop_requested, [&] { note_movement(counters); });
  if (!left) return std::unexpected(left.error());
  left_ = *left;
  return {};
}

void Replayer::note_movement(Counters& counters) {
  if (!counters.has_moved() && slots_ > tx_->pending()) counters.set_moved();
}

}  // namespace nmx
