// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/vale_receiver.hpp"

#include "device/embedded/counts.hpp"
#include "point.hpp"

#include <algorithm>
#include <bit>

namespace netmap::embedded {

using detail::load;
using detail::store;

ValeReceiver::ValeReceiver(const RingPlace& at, RingWords& words, const Mailbox& mailbox,
                           std::uint16_t owner, Unit unit)
    : ring_(at),
      words_(&words),
      mailbox_(mailbox),
      owner_(owner),
      unit_(unit),
      kept_(mailbox.size),
      deaths_(mailbox.words->deaths) {
  chains_.reserve(mailbox.size);
}

SlotRange ValeReceiver::handed_over() noexcept {
  catch_up();
  return ring_.handed_over();
}

SyncStatus ValeReceiver::sync(const DomainState& state) noexcept {
  catch_up();
  const auto head = ring_.head();
  if (!head) return errc::ring_corrupt;
  pass(ring_, *head, *words_);
  words_->returned.store(*head, std::memory_order_relaxed);
  let_go();
  const std::uint32_t deaths = mailbox_.words->deaths.load(std::memory_order_acquire);
  bool is_sound = list_chains();
  if (is_sound && next_chain_ != chains_.size()) is_sound = show();
  if (deaths != deaths_) [[unlikely]] {
    reclaim(state);
    deaths_ = deaths;
  }
  if ((load(ring_.raw().flags) & abi::ring_flags::timestamp) != 0) stamp_time(ring_.raw());
  return is_sound ? SyncStatus() : errc::ring_corrupt;
}

/// Others may have had their turn, and died before they showed what they had saved.
void ValeReceiver::catch_up() noexcept {
  const std::uint64_t progress = mailbox_.words->progress.load(std::memory_order_acquire);
  const bool is_own = progress == std::bit_cast<std::uint64_t>(progress_);
  progress_ = std::bit_cast<Progress>(progress);
  ring_.resume(words_->returned.load(std::memory_order_relaxed), progress_.tail);
  if (is_own) return;
  set_tail(ring_.tail());
  chains_.clear();
  next_chain_ = 0;
}

void ValeReceiver::set_tail(std::uint32_t tail) noexcept {
  ring_.set_tail(tail);
  words_->published.store(tail, std::memory_order_relaxed);
}

/// From the newest chain back to the last one known. False if there are more than cells: they lead
/// in a circle.
bool ValeReceiver::list_chains() noexcept {
  if (next_chain_ == chains_.size()) chains_.clear(), next_chain_ = 0;
  const std::uint16_t last = chains_.empty() ? progress_.taken : chains_.back();
  const auto newest =
      static_cast<std::uint16_t>(mailbox_.words->newest.load(std::memory_order_acquire));
  if (newest == last) return true;
  chains_.erase(chains_.begin(), chains_.begin() + static_cast<std::ptrdiff_t>(next_chain_));
  next_chain_ = 0;
  const std::size_t known = chains_.size();
  for (std::uint16_t cell = newest; cell != last; cell = load(mailbox_.at(cell).older)) {
    if (chains_.size() == mailbox_.size) {
      chains_.resize(known);
      return false;
    }
    chains_.push_back(cell);
  }
  std::reverse(chains_.begin() + static_cast<std::ptrdiff_t>(known), chains_.end());
  return true;
}

/// How many slots what begins with this cell takes.
std::uint32_t ValeReceiver::slots_of(const Cell& first) const noexcept {
  if (unit_ == Unit::slot) return 1;
  const std::uint32_t flags = load(first.flags);
  return std::max(flags >> abi::slot_flags::port_shift, 1U);
}

bool ValeReceiver::show() noexcept {
  std::uint32_t tail = ring_.tail();
  std::uint32_t room = ring_.room();
  bool is_sound = true;
  std::uint32_t moved = 0;
  const std::uint32_t by_dead = moved_by_dead();
  while (is_sound && next_chain_ != chains_.size()) {
    const std::uint16_t first = chains_[next_chain_];
    std::uint16_t at = progress_.at == 0 ? first : static_cast<std::uint16_t>(progress_.at - 1);
    const std::uint32_t fragments = slots_of(mailbox_.at(at));
    is_sound = fragments < ring_.size();
    if (is_sound && fragments > room) break;
    for (std::uint32_t i = 0; is_sound && i != fragments && at != no_cell; ++i) {
      Cell& cell = mailbox_.at(at);
      const std::uint16_t next = load(cell.next);
      if (moved < by_dead) [[unlikely]] {
        finish_move(cell, tail);
      } else {
        is_sound = move(cell, tail, moved + 1);
      }
      ++moved;
      if (at != first) keep(at);
      tail = ring_.next(tail);
      --room;
      at = next;
    }
    progress_.at = static_cast<std::uint16_t>(at + 1);
    if (at == no_cell || !is_sound) finish_chain();
  }
  NETMAP_POINT("take: moved");
  progress_.tail = static_cast<std::uint16_t>(tail);
  save_progress();
  NETMAP_POINT("take: saved");
  set_tail(tail);
  NETMAP_POINT("take: shown");
  return is_sound;
}

/// The slot's buffer takes the place of the cell's, with the data offset that the user has set for
/// it. False if the cell names no buffer. A user who died has left the packet's buffer in the slot,
/// and in the cell too, if it came no further.
bool ValeReceiver::move(Cell& cell, std::uint32_t index, std::uint32_t count) noexcept {
  const std::uint32_t buffer = load(cell.buffer);
  if (!mailbox_.buffers.has(buffer)) return false;
  abi::netmap_slot& slot = ring_.slot(index);
  const std::uint64_t mask = load(words_->offset_mask);
  const std::uint64_t ptr = load(slot.ptr);
  const std::uint32_t free = load(slot).index;
  if (mask != 0) store(slot.ptr, (ptr & ~mask) | (load(cell.offset) & mask));
  std::atomic_signal_fence(std::memory_order_release);
  store(slot, {buffer, load(cell.length), load(cell.flags)});
  NETMAP_POINT("take: slot filled");
  set_moved(count);
  NETMAP_POINT("take: counted");
  store(cell.buffer, free == buffer ? 0 : free);
  if (mask != 0) store(cell.offset, static_cast<std::uint16_t>(ptr & mask));
  return true;
}

/// The same of a cell that a user who died has counted.
void ValeReceiver::finish_move(Cell& cell, std::uint32_t index) noexcept {
  if (load(cell.buffer) == load(ring_.slot(index)).index) store(cell.buffer, 0);
}

/// How many cells from progress_ on were moved by a user who did not live to save its own.
std::uint32_t ValeReceiver::moved_by_dead() const noexcept {
  const auto moved = std::bit_cast<Moved>(mailbox_.words->moved.load(std::memory_order_relaxed));
  return moved.turn == progress_.turn ? moved.count : 0;
}

/// A process dies between two instructions, so it is their order alone that matters.
void ValeReceiver::set_moved(std::uint32_t count) noexcept {
  const Moved moved{progress_.turn, static_cast<std::uint16_t>(count)};
  std::atomic_signal_fence(std::memory_order_release);
  mailbox_.words->moved.store(std::bit_cast<std::uint32_t>(moved), std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_release);
}

/// Its first cell stays, and that of the chain before takes its place among those that are kept.
void ValeReceiver::finish_chain() noexcept {
  const std::uint16_t first = chains_[next_chain_++];
  mailbox_.at(first).owner.store(owner::mailbox, std::memory_order_relaxed);
  keep(progress_.taken);
  progress_.taken = first;
  progress_.at = 0;
}

void ValeReceiver::keep(std::uint16_t cell) noexcept {
  if (kept_count_ == kept_.size()) return;
  if (!mailbox_.buffers.has(load(mailbox_.at(cell).buffer))) [[unlikely]] {
    return mailbox_.at(cell).owner.store(owner::mailbox, std::memory_order_relaxed);
  }
  mailbox_.at(cell).owner.store(owner_, std::memory_order_relaxed);
  const std::uint32_t last = first_kept_ + kept_count_++;
  kept_[last < kept_.size() ? last : last - kept_.size()] = cell;
}

/// Gives senders the cells of packets that the user has released.
void ValeReceiver::let_go() noexcept {
  const std::uint32_t used = ring_.size() - 1 - ring_.room();
  for (; kept_count_ > used; --kept_count_) {
    mailbox_.at(kept_[first_kept_]).owner.store(owner::nobody, std::memory_order_release);
    if (++first_kept_ == kept_.size()) first_kept_ = 0;
  }
}

void ValeReceiver::save_progress() noexcept {
  ++progress_.turn;
  mailbox_.words->progress.store(std::bit_cast<std::uint64_t>(progress_),
                                 std::memory_order_release);
  set_moved(0);
}

/// What the dead had claimed, and is in no chain that is still to be taken, is empty. Chains are
/// listed once it is known who is dead, and has thus put in all that it ever will.
void ValeReceiver::reclaim(const DomainState& state) noexcept {
  std::vector<std::uint16_t> left;
  for (std::uint32_t cell = 0; cell != mailbox_.size; ++cell) {
    const std::uint16_t found = mailbox_.cells[cell].owner.load(std::memory_order_relaxed);
    if (found == owner::nobody || owner::is_alive(found, state)) continue;
    left.push_back(static_cast<std::uint16_t>(cell));
  }
  if (!list_chains()) return;
  const std::vector<bool> is_full = full_cells();
  for (const std::uint16_t cell : left) {
    if (!is_full[cell]) mailbox_.cells[cell].owner.store(owner::nobody, std::memory_order_release);
  }
}

/// Those in chains that are still to be taken.
std::vector<bool> ValeReceiver::full_cells() const noexcept {
  std::vector<bool> is_full(mailbox_.size);
  for (std::size_t chain = next_chain_; chain != chains_.size(); ++chain) {
    std::uint16_t cell = chains_[chain];
    is_full[cell % mailbox_.size] = true;
    if (chain == next_chain_ && progress_.at != 0) cell = progress_.at - 1;
    for (std::uint32_t i = 0; cell < mailbox_.size && i != mailbox_.size; ++i) {
      is_full[cell] = true;
      cell = load(mailbox_.at(cell).next);
    }
  }
  return is_full;
}

}  // namespace netmap::embedded
