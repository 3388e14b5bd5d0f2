// SPDX-License-Identifier: BSD-2-Clause
#include "device/fault/rings.hpp"

#include <algorithm>
#include <utility>

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

/// What the ring's last user sent may still be there.
FaultyTx::FaultyTx(const RingPlace& shown, TxRing& inner, const Inflicted& faults)
    : shown_(shown), inner_(inner), wire_(faults) {
  shown_.set_tail(static_cast<std::uint32_t>(inner.slots().size()));
}

SyncStatus FaultyTx::take(Clock::time_point now) {
  const auto head = shown_.head();
  if (!head) return errc::ring_corrupt;
  Fragments packet;
  for (std::uint32_t index = shown_.first(); index != *head;) {
    const auto word = detail::load(shown_.slot(index));
    const auto bytes = shown_.bytes(word);
    if (!bytes) {
      shown_.reset();
      return errc::ring_corrupt;
    }
    packet.push_back(copy_of(*bytes, word.flags));
    index = shown_.next(index);
    if (word.more_fragments()) continue;
    wire_.put(std::exchange(packet, {}), now);
    shown_.pass(index);
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
  const auto head = shown_.head();
  if (!head) return;
  const std::uint32_t all = shown_.size() - 1;
  const std::size_t under_way =
      shown_.distance(shown_.first(), *head) + wire_.slots() + inner_.pending();
  const std::size_t shown_before = all - shown_.distance(*head, shown_.tail());
  const auto used = static_cast<std::uint32_t>(std::min(under_way, shown_before));
  shown_.set_tail(shown_.advance(*head, all - used));
}

/// Until there is room for what is asked for, or for the next packet under way, unless only time
/// can make it.
void FaultyTx::want() noexcept {
  const std::size_t most = inner_.num_slots() - 1;
  const std::size_t free = inner_.slots().size();
  const std::size_t asked = shown_.ledger().wanted;
  const auto head = shown_.head().value_or(shown_.first());
  const std::size_t shown_free = shown_.distance(head, shown_.tail());
  std::size_t wanted = free + asked - std::min(asked, shown_free);
  const bool has_time = wire_.slots() != 0 && wire_.next_slots() <= free;
  if (wire_.slots() != 0 && !has_time) wanted = std::min(wanted, wire_.next_slots());
  const bool is_synced = head == shown_.first();  // else what was committed goes under way later
  const bool is_out_of_reach = wanted > most && (has_time || asked > most);
  if (is_synced && is_out_of_reach) return inner_.want_none();
  (void)inner_.want(static_cast<std::uint32_t>(std::clamp<std::size_t>(wanted, 1, most)));
}

Clock::time_point FaultyTx::due() const {
  const bool fits = wire_.next_slots() <= inner_.slots().size();
  return fits ? wire_.due() : Clock::time_point::max();
}

SyncStatus FaultyRx::give_back() {
  const auto head = shown_.head();
  if (!head) return errc::ring_corrupt;
  shown_.pass(*head);
  inner_.set_timestamps((detail::load(shown_.raw().flags) & abi::ring_flags::timestamp) != 0);
  const auto slots = inner_.slots();
  held_ = std::min(held_, slots.size());
  const std::size_t still_held =
      std::min(held_, wire_.slots() + shown_.distance(*head, shown_.tail()));
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
    if (packet->size() > shown_.room()) break;
    for (const Fragment& fragment : *packet) {
      if (!shown_.write(tail, fragment.bytes, fragment.flags)) done = errc::ring_corrupt;
      tail = shown_.next(tail);
    }
    shown_.set_tail(tail);
    wire_.pop();
    packet = wire_.next(now);
  }
  shown_.set_tail(tail);
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
  return wire_.next_slots() <= shown_.room() ? wire_.due() : Clock::time_point::max();
}

}  // namespace netmap::fault
