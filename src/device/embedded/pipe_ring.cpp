// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/pipe_ring.hpp"

#include <netmap/error.hpp>

#include <chrono>

namespace netmap::embedded {
namespace {

using detail::load;
using detail::store;

std::error_code corrupt() noexcept { return make_error_code(errc::ring_corrupt); }

void set_cursors(abi::netmap_ring& ring, std::uint32_t head, std::uint32_t tail) noexcept {
  store(ring.head, head);
  store(ring.cur, head);
  store(ring.tail, tail);
}

/// The time of day, where the user asked for it.
void stamp(abi::netmap_ring& ring) noexcept {
  if ((load(ring.flags) & abi::ring_flags::timestamp) == 0) return;
  using namespace std::chrono;
  const auto now = duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
  ring.ts = {now / 1'000'000, now % 1'000'000};
}

}  // namespace

void initialise(const PipeRing& ring, const std::uint32_t* buffers) noexcept {
  const auto whole = static_cast<std::uint16_t>(buffer_pool.object_bytes);
  auto* tx = abi::slots_of(*ring.tx);
  auto* rx = abi::slots_of(*ring.rx);
  for (std::uint32_t slot = 0; slot != ring.num_slots; ++slot) {
    tx[slot] = rx[slot] = {buffers[slot], whole, 0, 0};
  }
  ring.words->published = 0;
  ring.words->returned = 0;
  ring.words->rx_sleepers = 0;
  ring.words->tx_sleepers = 0;
  ring.words->tx_wanted = 0;
  set_cursors(*ring.tx, 0, ring.num_slots - 1);
  set_cursors(*ring.rx, 0, 0);
}

std::vector<std::uint32_t> buffers_of(const PipeRing& ring) {
  const auto* tx = abi::slots_of(*ring.tx);
  const auto* rx = abi::slots_of(*ring.rx);
  const std::uint32_t returned = ring.words->returned.load(std::memory_order_acquire);
  const std::uint32_t published = ring.words->published.load(std::memory_order_acquire);
  std::vector<std::uint32_t> buffers;
  for (std::uint32_t slot = 0; slot != ring.num_slots; ++slot) {
    const bool is_out = slot != published && ring.is_between(returned, slot, published);
    buffers.push_back(load(is_out ? rx[slot] : tx[slot]).index);
  }
  return buffers;
}

// ---- Sending -----------------------------------------------------------------------------------

PipeSender::PipeSender(const PipeRing& ring) noexcept
    : ring_(ring), returned_(ring.words->returned.load(std::memory_order_acquire)) {
  tail_ = ring_.previous(returned_ < ring_.num_slots ? returned_ : 0);
  const std::uint32_t published = ring_.words->published.load(std::memory_order_relaxed);
  if (!ring_.is_between(published, load(ring_.tx->head), tail_)) {
    set_cursors(*ring_.tx, published, tail_);
  }
  store(ring_.tx->tail, tail_);
}

std::error_code PipeSender::sync() noexcept {
  const std::uint32_t published = ring_.words->published.load(std::memory_order_relaxed);
  const std::uint32_t head = load(ring_.tx->head);
  if (published >= ring_.num_slots || !ring_.is_between(published, head, tail_)) [[unlikely]] {
    return corrupt();
  }
  const std::uint32_t whole = copy_packets(published, head);
  has_published_ = whole != published;
  if (has_published_) ring_.words->published.store(whole, std::memory_order_release);
  // The peer's word is read only when it matters: its line is then fetched from the other core.
  const bool is_half_used = ring_.distance(head, tail_) < ring_.num_slots / 2;
  return is_half_used || !has_published_ ? reclaim(whole) : std::error_code();
}

/// Yields the place behind the last whole packet: half a packet is not published.
std::uint32_t PipeSender::copy_packets(std::uint32_t from, std::uint32_t to) noexcept {
  auto* tx = abi::slots_of(*ring_.tx);
  auto* rx = abi::slots_of(*ring_.rx);
  std::uint32_t whole = from;
  while (from != to) {
    detail::SlotWord word = load(tx[from]);
    store(rx[from], word);
    rx[from].ptr = tx[from].ptr;
    if ((word.flags & abi::slot_flags::buf_changed) != 0) [[unlikely]] {
      word.flags &= static_cast<std::uint16_t>(~abi::slot_flags::buf_changed);
      store(tx[from], word);
    }
    from = ring_.next(from);
    if (!word.more_fragments()) whole = from;
  }
  return whole;
}

std::error_code PipeSender::reclaim(std::uint32_t published) noexcept {
  const std::uint32_t returned = ring_.words->returned.load(std::memory_order_acquire);
  if (!ring_.is_between(returned_, returned, published)) [[unlikely]] return corrupt();
  returned_ = returned;
  tail_ = ring_.previous(returned);
  store(ring_.tx->tail, tail_);
  return {};
}

// ---- Receiving ---------------------------------------------------------------------------------

PipeReceiver::PipeReceiver(const PipeRing& ring) : ring_(ring), sent_(ring.num_slots) {
  const std::uint32_t returned = ring_.words->returned.load(std::memory_order_relaxed);
  const std::uint32_t published = ring_.words->published.load(std::memory_order_acquire);
  tail_ = load(ring_.rx->tail);
  if (!ring_.is_between(returned, tail_, published)) tail_ = returned;
  if (!ring_.is_between(returned, load(ring_.rx->head), tail_)) {
    set_cursors(*ring_.rx, returned, tail_);
  }
  // A tx slot that is out keeps the index it was sent with, whatever a receiver did since.
  const auto* tx = abi::slots_of(*ring_.tx);
  for (std::uint32_t slot = 0; slot != ring_.num_slots; ++slot) sent_[slot] = load(tx[slot]).index;
}

std::error_code PipeReceiver::sync() noexcept {
  const std::uint32_t returned = ring_.words->returned.load(std::memory_order_relaxed);
  const std::uint32_t head = load(ring_.rx->head);
  if (returned >= ring_.num_slots || !ring_.is_between(returned, head, tail_)) [[unlikely]] {
    return corrupt();
  }
  has_returned_ = head != returned;
  if (has_returned_) {
    hand_back(returned, head);
    ring_.words->returned.store(head, std::memory_order_release);
  }
  const std::uint32_t published = ring_.words->published.load(std::memory_order_acquire);
  if (!ring_.is_between(tail_, published, ring_.previous(head))) [[unlikely]] return corrupt();
  const auto* rx = abi::slots_of(*ring_.rx);
  for (; tail_ != published; tail_ = ring_.next(tail_)) sent_[tail_] = load(rx[tail_]).index;
  store(ring_.rx->tail, tail_);
  stamp(*ring_.rx);
  return {};
}

void PipeReceiver::hand_back(std::uint32_t from, std::uint32_t to) noexcept {
  const auto* rx = abi::slots_of(*ring_.rx);
  auto* tx = abi::slots_of(*ring_.tx);
  for (; from != to; from = ring_.next(from)) {
    detail::SlotWord word = load(rx[from]);
    if (word.index == sent_[from]) [[likely]] continue;
    word.flags |= abi::slot_flags::buf_changed;
    store(tx[from], word);
  }
}

std::uint32_t PipeReceiver::free_slots() const noexcept {
  const std::uint32_t returned = ring_.words->returned.load(std::memory_order_relaxed);
  const std::uint32_t tx_head = load(ring_.tx->head);
  if (tx_head >= ring_.num_slots) return ring_.num_slots - 1;
  return ring_.distance(tx_head, ring_.previous(returned));
}

}  // namespace netmap::embedded
