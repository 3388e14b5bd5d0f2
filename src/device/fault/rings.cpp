// SPDX-License-Identifier: BSD-2-Clause
#include "device/fault/rings.hpp"

#include <algorithm>
#include <cstring>

namespace netmap::fault {
namespace {

/// Flags that mean something to whoever gets the packet, or to the device.
constexpr std::uint16_t kept(std::uint16_t flags) {
  constexpr int dropped =
      abi::slot_flags::buf_changed | abi::slot_flags::indirect | abi::slot_flags::forward;
  return static_cast<std::uint16_t>(flags & ~dropped);
}

Fragment copy_of(std::span<const std::byte> bytes, std::uint16_t flags) {
  return {{bytes.begin(), bytes.end()}, kept(flags)};
}

}  // namespace

std::optional<std::uint32_t> ShownRing::read_head() noexcept {
  const std::uint32_t head = detail::load(raw().head);
  const std::uint32_t cur = detail::load(raw().cur);
  const bool can_be = head < num_slots() && cur < num_slots() &&
                      distance(head_, head) <= owned(head_) && distance(head, cur) <= owned(head);
  if (can_be) return head;
  reset();
  return {};
}

void ShownRing::take(std::uint32_t head) noexcept {
  for (; head_ != head; head_ = advance(head_, 1)) {
    detail::count(ledger_.stats, detail::load(slot(head_)));
  }
}

void ShownRing::show(std::uint32_t tail) noexcept {
  tail_ = tail;
  detail::store(raw().tail, tail);
}

bool ShownRing::write(std::uint32_t index, const Fragment& fragment) noexcept {
  auto word = detail::load(slot(index));
  const auto into = buffers().buffer(word.index);
  const bool fits = buffers().has(word.index) && fragment.bytes.size() <= into.size();
  if (fits) std::ranges::copy(fragment.bytes, into.begin());
  word.length = fits ? static_cast<std::uint16_t>(fragment.bytes.size()) : std::uint16_t{0};
  word.flags = fragment.flags;
  detail::store(slot(index), word);
  return fits;
}

void ShownRing::reset() noexcept {
  detail::store(raw().cur, head_);
  detail::store(raw().head, head_);
  detail::store(raw().tail, tail_);
}

/// What the ring's last user sent may still be there.
FaultyTx::FaultyTx(const RingPlace& shown, TxRing& inner, const Inflicted& faults)
    : shown_(shown), inner_(inner), wire_(faults) {
  shown_.show(static_cast<std::uint32_t>(inner.slots().size()));
}

SyncStatus FaultyTx::take(Clock::time_point now) {
  const auto head = shown_.read_head();
  if (!head) return errc::ring_corrupt;
  Fragments packet;
  for (std::uint32_t index = shown_.head(); index != *head;) {
    const auto word = detail::load(shown_.slot(index));
    const auto bytes = shown_.buffers().bytes(word.index, word.length);
    if (bytes.size() != word.length || !shown_.buffers().has(word.index)) {
      shown_.reset();
      return errc::ring_corrupt;
    }
    packet.push_back(copy_of(bytes, word.flags));
    index = shown_.advance(index, 1);
    if (word.more_fragments()) continue;
    wire_.put(std::exchange(packet, {}), now);
    shown_.take(index);
  }
  return {};
}

SyncStatus FaultyTx::pass_on(Clock::time_point now) {
  return pass_on(now, wire_.limit());
}

SyncStatus FaultyTx::pass_on(Clock::time_point now, std::size_t limit) {
  const Fragments* packet = wire_.next(now);
  for (; packet != nullptr && limit != 0; --limit) {
    const auto free = inner_.slots();
    if (free.size() < packet->size()) break;
    auto slot = free.begin();
    for (const Fragment& fragment : *packet) {
      if (!(*slot++).write(fragment.bytes, fragment.flags)) return errc::ring_corrupt;
    }
    if (!inner_.commit(slot)) return errc::ring_corrupt;
    wire_.pop();
    packet = wire_.next(now);
  }
  return {};
}

/// The tail never moves back, whatever was doubled.
void FaultyTx::show_free() noexcept {
  const auto head = shown_.read_head();
  if (!head) return;
  const std::uint32_t all = shown_.num_slots() - 1;
  const std::size_t under_way =
      shown_.distance(shown_.head(), *head) + wire_.slots() + inner_.pending();
  const std::size_t shown_before = all - shown_.owned(*head);
  const auto used = static_cast<std::uint32_t>(std::min(under_way, shown_before));
  shown_.show(shown_.advance(*head, all - used));
}

void FaultyTx::want() noexcept {
  const std::size_t free = inner_.slots().size();
  const std::size_t shown_free = shown_.owned(detail::load(shown_.raw().head) % shown_.num_slots());
  std::size_t more =
      shown_.ledger().wanted - std::min<std::size_t>(shown_.ledger().wanted, shown_free);
  if (wire_.slots() != 0) more = wire_.next_slots() - std::min(wire_.next_slots(), free);
  const auto most = inner_.num_slots() - 1;
  (void)inner_.want(static_cast<std::uint32_t>(std::clamp<std::size_t>(free + more, 1, most)));
}

Clock::time_point FaultyTx::due() const {
  const bool fits = wire_.next_slots() <= inner_.slots().size();
  return fits ? wire_.due() : Clock::time_point::max();
}

SyncStatus FaultyRx::give_back() {
  const auto head = shown_.read_head();
  if (!head) return errc::ring_corrupt;
  shown_.take(*head);
  inner_.set_timestamps((detail::load(shown_.raw().flags) & abi::ring_flags::timestamp) != 0);
  const auto slots = inner_.slots();
  held_ = std::min(held_, slots.size());
  const std::size_t still_held = std::min(held_, wire_.slots() + shown_.owned(*head));
  if (still_held == held_) return {};
  const auto given_back = static_cast<std::ptrdiff_t>(held_ - still_held);
  held_ = still_held;
  return inner_.release(slots.begin() + given_back) ? SyncStatus() : errc::ring_corrupt;
}

SyncStatus FaultyRx::take(Clock::time_point now) {
  const auto slots = inner_.slots();
  held_ = std::min(held_, slots.size());
  Fragments packet;
  std::size_t end = held_;
  for (auto slot = slots.begin() + static_cast<std::ptrdiff_t>(held_); slot != slots.end();
       ++slot) {
    const RxSlot received = *slot;
    if (!received.is_sound()) return errc::ring_corrupt;
    packet.push_back(copy_of(received.bytes(), received.flags()));
    ++end;
    if (received.more_fragments()) continue;
    wire_.put(std::exchange(packet, {}), now);
    held_ = end;
  }
  (void)inner_.seen(slots.begin() + static_cast<std::ptrdiff_t>(held_));
  return {};
}

SyncStatus FaultyRx::show(Clock::time_point now) {
  SyncStatus done;
  std::uint32_t tail = shown_.tail();
  const Fragments* packet = wire_.next(now);
  for (auto left = wire_.limit(); packet != nullptr && left != 0; --left) {
    if (packet->size() > room()) break;
    for (const Fragment& fragment : *packet) {
      if (!shown_.write(tail, fragment)) done = errc::ring_corrupt;
      tail = shown_.advance(tail, 1);
    }
    shown_.show(tail);
    wire_.pop();
    packet = wire_.next(now);
  }
  shown_.show(tail);
  show_time();
  return done;
}

void FaultyRx::show_time() noexcept {
  using std::chrono::floor, std::chrono::seconds, std::chrono::microseconds;
  const auto time = inner_.timestamp().time_since_epoch();
  detail::store(shown_.raw().ts.tv_sec, floor<seconds>(time).count());
  detail::store(shown_.raw().ts.tv_usec, floor<microseconds>(time % seconds(1)).count());
}

Clock::time_point FaultyRx::due() const {
  return wire_.next_slots() <= room() ? wire_.due() : Clock::time_point::max();
}

}  // namespace netmap::fault
