// SPDX-License-Identifier: BSD-2-Clause
#include "outlet.hpp"

#include <algorithm>
#include <utility>

namespace nmx {

using netmap::Position;
using netmap::Result;
using netmap::RxSlot;
using netmap::TxSlot;

namespace {

std::uint16_t flags_of(const Piece& piece) {
  return piece.more ? netmap::abi::slot_flags::more_fragments : std::uint16_t{0};
}

}  // namespace

Outlet::Outlet(netmap::Port port, bool is_followed)
    : port_(std::move(port)), ring_(&port_.tx_rings().front()) {
  if (!is_followed) return;
  sent_.resize(ring_->num_slots());
  unseen_ = ring_->behind_tail();
}

void Outlet::look() {
  const auto free = ring_->slots();
  next_ = free.begin();
  room_ = free.size();
  if (sent_.empty() || unseen_ == ring_->behind_tail()) return;
  // Of a packet that came back in part nothing is free.
  const std::uint32_t head = Position(next_).index();
  const std::uint32_t slots = ring_->num_slots();
  room_ = std::min<std::size_t>(room_, (unseen_.index() + slots - head) % slots);
}

Result<> Outlet::copy(const RxSlot& slot, const Piece& piece) {
  TxSlot free = *next_;
  auto written = free.write(slot.bytes(), flags_of(piece));
  if (written) pass(free, piece);
  return written;
}

Result<> Outlet::take(netmap::Buffer& buffer, const Piece& piece) {
  TxSlot free = *next_;
  auto done = free.swap(buffer);
  if (done) done = free.set_length(piece.length, flags_of(piece));
  if (done) pass(free, piece);
  return done;
}

Result<> Outlet::commit() {
  if (!std::exchange(has_filled_, false)) return {};
  has_unsent_ = true;
  return ring_->commit(next_);
}

bool Outlet::needs_sync() {
  if (std::exchange(has_unsent_, false)) return true;
  return ring_->pending() != 0 && (!sent_.empty() || room_ < ring_->num_slots() / 2);
}

std::size_t Outlet::packet_at(const netmap::TxSlots::iterator& first,
                              const netmap::TxSlots::iterator& end) {
  for (auto slot = first; slot != end; ++slot) {
    const Sent& one = sent(*slot);
    if (!one.is_out || !one.piece.more) return static_cast<std::size_t>(slot - first) + 1;
  }
  return 0;
}

bool Outlet::has_returned() {
  if (sent_.empty()) return false;
  const netmap::TxSlots slots = ring_->returned(unseen_);
  return packet_at(slots.begin(), slots.end()) != 0;
}

bool Outlet::collect(netmap::TxSlots::iterator first, std::size_t length) {
  bool is_here = true;
  pieces_.clear();
  for (std::size_t i = 0; i != length; ++i, ++first) {
    const TxSlot slot = *first;
    Sent& one = sent(slot);
    if (!std::exchange(one.is_out, false)) continue;
    pieces_.push_back(one.piece);
    is_here = is_here && slot.buffer_index() == one.buffer;
  }
  return is_here;
}

Result<bool> Outlet::ask(std::size_t slots) {
  if (!sent_.empty() && ring_->pending() != 0) slots = ring_->slots().size() + 1;
  if (slots == 0) {
    ring_->want_none();
    return false;
  }
  if (auto asked = ring_->want(static_cast<std::uint32_t>(slots)); !asked) {
    return std::unexpected(asked.error());
  }
  return true;
}

}  // namespace nmx
