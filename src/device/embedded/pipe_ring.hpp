// SPDX-License-Identifier: BSD-2-Clause
//
// One direction of one pipe ring: the part that the module does inside a sync. The sender copies
// slot descriptors from its tx ring to the same slots of the peer's rx ring and publishes them;
// both slots then name one buffer, which is the receiver's until it gives the slot back. No packet
// byte moves. The receiver hands back, in the tx ring, the buffers it swapped.
#pragma once

#include <netmap/ring.hpp>

#include "device/device.hpp"
#include "device/embedded/counts.hpp"
#include "device/embedded/state.hpp"
#include "device/slot_range.hpp"
#include "point.hpp"

#include <cstdint>
#include <vector>

namespace netmap::embedded {

/// Where one direction of a pipe ring lies in this process.
struct PipeRing {
  abi::netmap_ring* tx;
  abi::netmap_ring* rx;
  RingWords* words;
  std::uint32_t num_slots;

  [[nodiscard]] std::uint32_t next(std::uint32_t slot) const noexcept {
    return slot + 1 == num_slots ? 0 : slot + 1;
  }
  [[nodiscard]] std::uint32_t previous(std::uint32_t slot) const noexcept {
    return (slot == 0 ? num_slots : slot) - 1;
  }
  [[nodiscard]] std::uint32_t distance(std::uint32_t from, std::uint32_t to) const noexcept {
    return to >= from ? to - from : to + num_slots - from;
  }
  /// A slot index read from shared memory; the first slot if it is none.
  [[nodiscard]] std::uint32_t slot_of(std::uint32_t word) const noexcept {
    return word < num_slots ? word : 0;
  }
  /// Whether `position` is one of first … last, as positions of this ring.
  [[nodiscard]] bool is_between(std::uint32_t first, std::uint32_t position,
                                std::uint32_t last) const noexcept {
    return position < num_slots && distance(first, position) <= distance(first, last);
  }
  /// Whether the user, who owned `first` … `last`, has left head and cur among these, in order.
  [[nodiscard]] bool is_kept(const abi::netmap_ring& user, std::uint32_t first, std::uint32_t head,
                             std::uint32_t last) const noexcept {
    const std::uint32_t cur = detail::load(user.cur);
    return is_between(first, head, last) && (cur == head || is_between(head, cur, last));
  }
};

/// The sender's side of a ring, in the process that sends.
class PipeSender {
 public:
  /// Whoever takes a ring over is shown what has come back since its last user left. Who joins
  /// users of it changes nothing before its first sync.
  enum class Entry : std::uint8_t { takes_over, joins };
  explicit PipeSender(const PipeRing& ring, Entry entry = Entry::takes_over) noexcept;
  /// From here on takes head and cur from `user` and tells it the tail, instead of the ring itself.
  void serve(abi::netmap_ring& user) noexcept { user_ = &user; }
  /// Learns what others who share the ring did to it.
  void catch_up() noexcept;

  /// Publishes the whole packets before head, then learns what came back. False if head or cur is
  /// not owned, or if the peer returned what it was not given; reset() is called for then.
  [[nodiscard]] bool sync() noexcept;
  /// What the next sync will publish.
  [[nodiscard]] SlotRange handed_over() const noexcept;
  /// Takes back a head that is not owned, as the module does.
  void reset() noexcept;
  /// Whether the user has no free slot.
  [[nodiscard]] bool is_full() const noexcept {
    return detail::load(user_->head) == detail::load(user_->tail);
  }
  /// Whether something is published beyond the place the receiver wants to be woken for.
  [[nodiscard]] bool has_news() const noexcept;

  [[nodiscard]] const PipeRing& ring() const noexcept { return ring_; }
  [[nodiscard]] RingWords& words() const noexcept { return *ring_.words; }
  [[nodiscard]] detail::Ledger& ledger() noexcept { return ledger_; }

 private:
  [[nodiscard]] std::uint32_t end_of_packets(std::uint32_t from, std::uint32_t head) const noexcept;
  void copy_slots(std::uint32_t from, std::uint32_t end) noexcept;
  bool reclaim(std::uint32_t published) noexcept;

  PipeRing ring_;
  abi::netmap_ring* user_;  ///< whose head, cur and tail count
  std::uint32_t returned_;  ///< as last seen
  std::uint32_t tail_;      ///< as last shown to the user
  detail::Ledger ledger_;
};

/// The receiver's side of a ring, in the process that receives.
class PipeReceiver {
 public:
  explicit PipeReceiver(const PipeRing& ring) noexcept;
  void serve(abi::netmap_ring& user) noexcept { user_ = &user; }
  void catch_up() noexcept;
  /// From here on believes NS_BUF_CHANGED, as the module does, and looks no further unless the
  /// slots have data offsets, which no flag tells of.
  void believe_flags() noexcept { believes_flags_ = ledger_.is_raw = true; }

  /// Gives back the slots before head, then shows what was published. False if head or cur is not
  /// owned, or if the peer published what it does not have; reset() is called for then.
  [[nodiscard]] bool sync() noexcept;
  /// What the next sync will give back.
  [[nodiscard]] SlotRange handed_over() const noexcept;
  void reset() noexcept;
  /// Whether the user has no slot to read.
  [[nodiscard]] bool is_empty() const noexcept {
    return detail::load(user_->head) == detail::load(user_->tail);
  }
  /// Whether there is the room that a sleeping sender wants to be woken for.
  [[nodiscard]] bool has_room() const noexcept;
  /// Slots the sender can fill now.
  [[nodiscard]] std::uint32_t free_slots() const noexcept;

  [[nodiscard]] const PipeRing& ring() const noexcept { return ring_; }
  [[nodiscard]] RingWords& words() const noexcept { return *ring_.words; }
  [[nodiscard]] detail::Ledger& ledger() noexcept { return ledger_; }

 private:
  void count_taken(std::uint32_t from, std::uint32_t end) noexcept;
  void hand_back(std::uint32_t from, std::uint32_t head) noexcept;
  void hand_back_flagged(std::uint32_t from, std::uint32_t head) noexcept;
  void hand_back_swapped(std::uint32_t from, std::uint32_t head) noexcept;

  PipeRing ring_;
  abi::netmap_ring* user_;
  std::uint32_t tail_;  ///< as last shown to the user
  bool believes_flags_ = false;
  detail::Ledger ledger_;
};

/// Copies a descriptor in one piece, unless that would change nothing: a line that nobody writes to
/// stays in the caches of both sides.
inline void copy(abi::netmap_slot& to, const abi::netmap_slot& from) noexcept {
  using Whole [[gnu::vector_size(16), gnu::may_alias]] = long long;
  static_assert(sizeof(Whole) == sizeof(abi::netmap_slot));
  const Whole now = *reinterpret_cast<const Whole*>(&from);
  const Whole change = now ^ *reinterpret_cast<const Whole*>(&to);
  if ((change[0] | change[1]) != 0) *reinterpret_cast<Whole*>(&to) = now;
}
inline void clear_changed(abi::netmap_slot& slot) noexcept {
  slot.flags &= static_cast<std::uint16_t>(~abi::slot_flags::buf_changed);
}

/// Puts both rings of a direction into netmap's initial state, the buffers being `buffers`, one a
/// slot, each of `whole` bytes.
void initialise(const PipeRing& ring, const std::uint32_t* buffers, std::uint16_t whole) noexcept;
/// The buffers that the direction owns: of a slot that is out the receiver's, else the sender's.
[[nodiscard]] std::vector<std::uint32_t> buffers_of(const PipeRing& ring);

// ---- What a sync costs --------------------------------------------------------------------------

inline bool PipeSender::sync() noexcept {
  const std::uint32_t published = ring_.words->published.load(std::memory_order_relaxed);
  const std::uint32_t head = detail::load(user_->head);
  if (published >= ring_.num_slots || !ring_.is_kept(*user_, published, head, tail_)) [[unlikely]] {
    return false;
  }
  const std::uint32_t whole = end_of_packets(published, head);
  if (whole != published) {
    const RingStats before = ledger_.stats;
    copy_slots(published, whole);
    count(*ring_.words, before, ledger_.stats);
    NETMAP_POINT("publish: copied");
    ring_.words->published.store(whole, std::memory_order_release);
    NETMAP_POINT("publish: published");
  }
  // The peer's word is read only when it matters: its line is then fetched from the other core.
  const bool is_half_used = ring_.distance(head, tail_) < ring_.num_slots / 2;
  if ((is_half_used || whole == published) && !reclaim(whole)) [[unlikely]]
    return false;
  if (detail::load(user_->tail) != tail_) detail::store(user_->tail, tail_);
  return true;
}

/// The place behind the last whole packet before `head`: half a packet is not sent.
inline std::uint32_t PipeSender::end_of_packets(std::uint32_t from,
                                                std::uint32_t head) const noexcept {
  const auto* tx = abi::slots_of(*ring_.tx);
  while (head != from && detail::load(tx[ring_.previous(head)]).more_fragments()) [[unlikely]] {
    head = ring_.previous(head);
  }
  return head;
}

/// What costs here is stores, each of which waits for its line from the other core.
inline void PipeSender::copy_slots(std::uint32_t from, std::uint32_t end) noexcept {
  auto* tx = abi::slots_of(*ring_.tx);
  auto* rx = abi::slots_of(*ring_.rx);
  RingStats sent = ledger_.stats;
  for (; from != end; from = ring_.next(from)) {
    copy(rx[from], tx[from]);
    const detail::SlotWord word = detail::load(tx[from]);
    if ((word.flags & abi::slot_flags::buf_changed) != 0) [[unlikely]]
      clear_changed(tx[from]);
    detail::count(sent, word);
  }
  ledger_.stats = sent;
}

inline bool PipeSender::reclaim(std::uint32_t published) noexcept {
  const std::uint32_t returned = ring_.words->returned.load(std::memory_order_acquire);
  if (!ring_.is_between(returned_, returned, published)) return false;
  returned_ = returned;
  tail_ = ring_.previous(returned);
  return true;
}

inline bool PipeReceiver::sync() noexcept {
  const std::uint32_t returned = ring_.words->returned.load(std::memory_order_relaxed);
  const std::uint32_t head = detail::load(user_->head);
  if (returned >= ring_.num_slots || !ring_.is_kept(*user_, returned, head, tail_)) [[unlikely]] {
    return false;
  }
  if (head != returned) {
    if (ledger_.has_swapped || ledger_.is_raw) [[unlikely]]
      hand_back(returned, head);
    count_taken(returned, head);
    NETMAP_POINT("release: handed back");
    ring_.words->returned.store(head, std::memory_order_release);
    NETMAP_POINT("release: returned");
  }
  const std::uint32_t published = ring_.words->published.load(std::memory_order_acquire);
  if (!ring_.is_between(tail_, published, ring_.previous(head))) [[unlikely]]
    return false;
  tail_ = published;
  if (detail::load(user_->tail) != tail_) detail::store(user_->tail, tail_);
  if ((detail::load(user_->flags) & abi::ring_flags::timestamp) != 0) stamp_time(*user_);
  return true;
}

/// The user has read these slots, so looking at them costs nothing; near the tail the sender would
/// be writing to their neighbours.
inline void PipeReceiver::count_taken(std::uint32_t from, std::uint32_t end) noexcept {
  const auto* rx = abi::slots_of(*ring_.rx);
  RingStats taken = ledger_.stats;
  for (; from != end; from = ring_.next(from)) detail::count(taken, detail::load(rx[from]));
  ledger_.stats = taken;
}

}  // namespace netmap::embedded
