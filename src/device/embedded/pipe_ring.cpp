// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/pipe_ring.hpp"

namespace netmap::embedded {

using detail::load;
using detail::store;

namespace {

void set_cursors(abi::netmap_ring& ring, std::uint32_t head, std::uint32_t tail) noexcept {
  store(ring.head, head);
  store(ring.cur, head);
  store(ring.tail, tail);
}

}  // namespace

void initialise(const PipeRing& ring, const std::uint32_t* buffers, std::uint16_t whole) noexcept {
  auto* tx = abi::slots_of(*ring.tx);
  auto* rx = abi::slots_of(*ring.rx);
  for (std::uint32_t slot = 0; slot != ring.num_slots; ++slot) {
    tx[slot] = rx[slot] = {buffers[slot], whole, 0, 0};
  }
  ring.words->published = 0;
  ring.words->returned = 0;
  ring.words->rx_sleepers = 0;
  ring.words->tx_sleepers = 0;
  ring.words->rx_seen = 0;
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

PipeSender::PipeSender(const PipeRing& ring, Entry entry) noexcept : ring_(ring), user_(ring.tx) {
  catch_up();
  if (entry == Entry::joins) return;
  reset();
  store(user_->tail, tail_);
}

void PipeSender::catch_up() noexcept {
  returned_ = ring_.slot_of(ring_.words->returned.load(std::memory_order_acquire));
  tail_ = ring_.previous(returned_);
}

void PipeSender::reset() noexcept {
  const std::uint32_t published =
      ring_.slot_of(ring_.words->published.load(std::memory_order_relaxed));
  if (!ring_.is_kept(*user_, published, load(user_->head), tail_)) {
    set_cursors(*user_, published, tail_);
  }
}

SlotRange PipeSender::handed_over() const noexcept {
  const std::uint32_t first = ring_.slot_of(ring_.words->published.load(std::memory_order_relaxed));
  const std::uint32_t head = load(user_->head);
  const std::uint32_t end = ring_.is_kept(*user_, first, head, tail_) ? head : first;
  return SlotRange::between(abi::slots_of(*ring_.tx), ring_.num_slots, first, end).whole_packets();
}

bool PipeSender::has_news() const noexcept {
  const std::uint32_t seen = ring_.words->rx_seen.load(std::memory_order_relaxed);
  const std::uint32_t position = (seen & in_csb) != 0 ? seen ^ in_csb : load(ring_.rx->cur);
  return ring_.words->published.load(std::memory_order_relaxed) != position;
}

// ---- Receiving ---------------------------------------------------------------------------------

PipeReceiver::PipeReceiver(const PipeRing& ring) noexcept : ring_(ring), user_(ring.rx) {
  catch_up();
  reset();
  store(user_->tail, tail_);
}

void PipeReceiver::catch_up() noexcept {
  const std::uint32_t returned =
      ring_.slot_of(ring_.words->returned.load(std::memory_order_relaxed));
  const std::uint32_t published = ring_.words->published.load(std::memory_order_acquire);
  tail_ = load(user_->tail);
  if (!ring_.is_between(returned, tail_, published)) tail_ = returned;
  ledger_.has_swapped = true;  // perhaps the others did
}

void PipeReceiver::reset() noexcept {
  const std::uint32_t returned =
      ring_.slot_of(ring_.words->returned.load(std::memory_order_relaxed));
  if (!ring_.is_kept(*user_, returned, load(user_->head), tail_)) {
    set_cursors(*user_, returned, tail_);
  }
}

SlotRange PipeReceiver::handed_over() const noexcept {
  const std::uint32_t first = ring_.slot_of(ring_.words->returned.load(std::memory_order_relaxed));
  const std::uint32_t head = load(user_->head);
  const std::uint32_t end = ring_.is_kept(*user_, first, head, tail_) ? head : first;
  return SlotRange::between(abi::slots_of(*ring_.rx), ring_.num_slots, first, end);
}

[[gnu::cold]] void PipeReceiver::hand_back(std::uint32_t from, std::uint32_t head) noexcept {
  if (believes_flags_ && load(ring_.rx->offset_mask) == 0) {
    hand_back_flagged(from, head);
  } else {
    hand_back_swapped(from, head);
  }
}

/// Only slots that are the user's are read: the sender's would come from its core.
void PipeReceiver::hand_back_flagged(std::uint32_t from, std::uint32_t head) noexcept {
  auto* rx = abi::slots_of(*ring_.rx);
  auto* tx = abi::slots_of(*ring_.tx);
  for (; from != head; from = ring_.next(from)) {
    const detail::SlotWord word = load(rx[from]);
    if ((word.flags & abi::slot_flags::buf_changed) == 0) continue;
    store(tx[from].ptr, load(rx[from].ptr));
    store(tx[from], word);
    clear_changed(rx[from]);
  }
}

/// A slot's buffer was swapped if it differs from what the tx slot names, which still is the one it
/// was sent with. Data offsets go with the buffers.
void PipeReceiver::hand_back_swapped(std::uint32_t from, std::uint32_t head) noexcept {
  const auto* rx = abi::slots_of(*ring_.rx);
  auto* tx = abi::slots_of(*ring_.tx);
  for (; from != head; from = ring_.next(from)) {
    detail::SlotWord word = load(rx[from]);
    if (const auto offset = load(rx[from].ptr); offset != load(tx[from].ptr)) {
      store(tx[from].ptr, offset);
    }
    if (word.index == load(tx[from]).index) continue;
    word.flags |= abi::slot_flags::buf_changed;
    store(tx[from], word);
  }
  if (head == tail_) ledger_.has_swapped = false;  // else a slot still held may be one
}

bool PipeReceiver::has_room() const noexcept {
  const std::uint32_t wanted = ring_.words->tx_wanted.load(std::memory_order_relaxed);
  if ((wanted & in_csb) == 0) return free_slots() >= wanted;
  return ring_.words->returned.load(std::memory_order_relaxed) != (wanted ^ in_csb);
}

std::uint32_t PipeReceiver::free_slots() const noexcept {
  const std::uint32_t returned = ring_.words->returned.load(std::memory_order_relaxed);
  const std::uint32_t tx_head = load(ring_.tx->head);
  if (tx_head >= ring_.num_slots) return ring_.num_slots - 1;
  return ring_.distance(tx_head, ring_.previous(returned));
}

}  // namespace netmap::embedded
