// SPDX-License-Identifier: BSD-2-Clause
//
// A ring of slots in memory shared with the kernel or with another process, netmap(4):
//
//           head            cur                  tail
//     -------+---------------+--------------------+-------
//      theirs|  the program owns head .. tail-1   |theirs
//     -------+---------------+--------------------+-------
//
// Looking changes nothing. One verb per direction moves the ring: RxRing::release gives slots
// back, TxRing::commit sends them; the other side learns of it at the port's next sync. `tail` is
// never written here. Every value the other side can write is read once, checked, then used, so a
// hostile ring yields an empty view or an error, never an access outside the region.
//
// Rings live in a Port. One thread at a time uses a Port and its rings.
#pragma once

#include <netmap/packet.hpp>
#include <netmap/slot.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace netmap {

class NETMAP_BUILD_TAG Port;
class PacketWriter;
class NETMAP_BUILD_TAG RxRing;
class NETMAP_BUILD_TAG TxRing;
struct Forwarded;
Result<Forwarded> forward(RxRing& rx, TxRing& tx, std::size_t limit);

/// What both directions share. Not used by itself.
class NETMAP_BUILD_TAG Ring {
 public:
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /// The ring's number among the port's NIC rings, or among its host rings, of this direction.
  [[nodiscard]] std::uint16_t index() const noexcept { return index_; }
  /// Whether this ring leads to the host's network stack instead of the NIC.
  [[nodiscard]] bool is_host() const noexcept { return is_host_; }
  /// Slots in the ring; the program owns at most one less.
  [[nodiscard]] std::uint32_t num_slots() const noexcept { return bounds().slots.size(); }
  /// Bytes one slot can hold.
  [[nodiscard]] std::uint32_t buffer_size() const noexcept { return bounds().buffers.capacity(); }
  /// Whether head and tail are slots; if not, the other side broke the ring, and it shows nothing.
  [[nodiscard]] bool is_sound() const noexcept { return is_sound(look()); }
  /// Whether buffers can be swapped with `other`: both lie in one region.
  [[nodiscard]] bool same_region(const Ring& other) const noexcept {
    return bounds().buffers.base == other.bounds().buffers.base;
  }
  /// What the ring's syncs have handed over so far: sent, or received and released.
  [[nodiscard]] RingStats stats() const noexcept { return ledger_->stats; }
  /// The kernel's structure, for code written against netmap(4). What such code does to the ring
  /// is its own affair; the views of this library stay in bounds whatever it does.
  [[nodiscard]] abi::netmap_ring* raw() noexcept {
    ledger_->is_raw = true;
    return ring_;
  }

 protected:
  friend class Port;
  friend Result<Forwarded> forward(RxRing& rx, TxRing& tx, std::size_t limit);

  struct Owned {
    std::uint32_t head;
    std::uint32_t tail;
  };

  Ring(abi::netmap_ring* ring, const detail::Bounds& bounds, detail::Ledger& ledger,
       std::uint16_t index, bool is_host, bool is_exclusive)
      : Ring(ring, bounds, ledger, index, is_host,
             is_exclusive && bounds.offsets.mask != 0
                 ? std::make_unique<std::size_t[]>(bounds.slots.size())
                 : nullptr) {}
  ~Ring() { life_.end(); }

  [[nodiscard]] const detail::Bounds& bounds() const noexcept { return life_.bounds(); }
  [[nodiscard]] Owned look() const noexcept {
    return {detail::load(ring_->head), detail::load(ring_->tail)};
  }
  /// Whether the positions can be; if not, the other side broke the ring.
  [[nodiscard]] bool is_sound(Owned now) const noexcept {
    return now.head < num_slots() && now.tail < num_slots();
  }
  /// What the program owns now; nothing of a broken ring.
  [[nodiscard]] Owned owned() const noexcept {
    Owned now = look();
    if (!is_sound(now)) [[unlikely]]
      now.head = now.tail = 0;
    return now;
  }
  [[nodiscard]] std::uint32_t distance(std::uint32_t from, std::uint32_t to) const noexcept {
    return to >= from ? to - from : to + num_slots() - from;
  }
  /// The position `by` places on; at most once around.
  [[nodiscard]] std::uint32_t advance(std::uint32_t from, std::uint32_t by) const noexcept {
    return by < num_slots() - from ? from + by : from + by - num_slots();
  }
  [[nodiscard]] bool owns(Owned now, std::uint32_t position) const noexcept {
    return position < num_slots() && distance(now.head, position) <= distance(now.head, now.tail);
  }
  [[nodiscard]] detail::Place place(std::uint32_t position) const noexcept {
    auto* const slot = bounds().slots.first + position;
    return {&bounds(), slot, ledger_, detail::Watch(life_, slot)};
  }

  /// Gives everything before `position` to the other side. netmap(4) does not allow cur to be
  /// seen behind head, so cur is stored first.
  Result<> hand_over(Position position) {
    const Owned now = look();
    if (!is_sound(now) || !owns(now, position.index())) [[unlikely]]
      return refuse_move(now);
    life_.pass(distance(now.head, position.index()));
    if (starts_) [[unlikely]]
      forget_starts(now.head, position.index());
    abi::netmap_ring& ring = *ring_;
    detail::store(ring.cur, position.index());
    detail::store(ring.head, position.index());
    return {};
  }
  [[nodiscard]] Result<> refuse_move(Owned now) const {
    return detail::refuse(is_sound(now) ? errc::position_out_of_range : errc::ring_corrupt);
  }

  /// Slots from head up to `position` are the other side's now.
  [[gnu::cold, gnu::noinline]] void forget_starts(std::uint32_t head,
                                                  std::uint32_t position) noexcept {
    while (head != position) starts_[std::exchange(head, advance(head, 1))] = 0;
  }

  detail::Life life_;  // first: a loop has the same register for the ring and its bounds
  abi::netmap_ring* ring_;
  std::unique_ptr<std::size_t[]> starts_;  ///< detail::Offsets::starts
  detail::Ledger* ledger_;
  std::uint16_t index_;
  bool is_host_;

 private:
  Ring(abi::netmap_ring* ring, const detail::Bounds& bounds, detail::Ledger& ledger,
       std::uint16_t index, bool is_host, std::unique_ptr<std::size_t[]> starts)
      : life_({bounds.slots,
               bounds.buffers,
               {bounds.offsets.mask, bounds.offsets.max, starts.get()}}),
        ring_(ring),
        starts_(std::move(starts)),
        ledger_(&ledger),
        index_(index),
        is_host_(is_host) {}
};

/// Received packets.
class NETMAP_BUILD_TAG RxRing : public Ring {
 public:
  /// Every slot the program owns, oldest first.
  [[nodiscard]] RxSlots slots() const noexcept NETMAP_LIFETIMEBOUND {
    const Owned now = owned();
    return {place(now.head), bounds().slots.first + now.tail};
  }
  /// Every whole packet the program owns, oldest first, or those within its first `limit` slots.
  [[nodiscard]] Packets packets(std::size_t limit = SIZE_MAX) const noexcept NETMAP_LIFETIMEBOUND {
    Owned now = owned();
    if (limit < distance(now.head, now.tail)) {
      now.tail = advance(now.head, static_cast<std::uint32_t>(limit));
    }
    return {place(now.head), bounds().slots.first + now.tail};
  }

  /// Gives back every slot before `position`. Fails with position_out_of_range, moving nothing.
  Result<> release(Position position) {
    if (has_seen_) [[unlikely]]
      return release_seen(position);
    return hand_over(position);
  }

  /// Asks to be woken only by what arrives beyond `position`, without giving anything back; holds
  /// until more than that is released. Fails with position_out_of_range, moving nothing.
  Result<> seen(Position position) {
    const Owned now = look();
    if (!is_sound(now) || !owns(now, position.index())) [[unlikely]]
      return refuse_move(now);
    detail::store(ring_->cur, position.index());
    has_seen_ = true;
    return {};
  }

  /// Copies out and releases the oldest packet; yields its size in bytes. Fails with ring_empty,
  /// with packet_too_large, or with ring_corrupt if a slot of it names no buffer; the packet then
  /// stays where it is.
  Result<std::size_t> receive(std::span<std::byte> into) {
    const auto waiting = packets();
    if (waiting.empty()) return detail::refuse<std::size_t>(errc::ring_empty);
    const Packet packet = *waiting.begin();
    auto size = packet.copy_to(into);
    if (size) {
      if (auto released = release(packet.after()); !released) {
        return std::unexpected(released.error());
      }
    }
    return size;
  }

  /// Calls `use(packet)` for up to `limit` packets and releases them; yields how many. If `use`
  /// throws, nothing is released.
  template <class Use>
  std::size_t for_each(Use&& use, std::size_t limit = SIZE_MAX) {
    const auto waiting = packets();
    std::size_t count = 0;
    auto packet = waiting.begin();
    for (; packet != waiting.end() && count < limit; ++packet, ++count) use(*packet);
    if (count != 0) (void)release(packet);
    return count;
  }

  /// Whether something lies beyond what the program has seen or released.
  [[nodiscard]] bool is_ready() const noexcept {
    const Owned now = look();
    return is_sound(now) && detail::load(ring_->cur) != now.tail;
  }

  /// Asks for a time stamp at every sync (NR_TIMESTAMP).
  void set_timestamps(bool on) noexcept { set_flag(abi::ring_flags::timestamp, on); }
  /// Lets slots flagged NS_FORWARD pass to the host stack, or from it, at sync (NR_FORWARD); see
  /// Port::set_forwarding().
  void set_forwarding(bool on) noexcept { set_flag(abi::ring_flags::forward, on); }
  /// Lets a packet go where it would have gone without netmap, once it is released: from the card
  /// to the host's stack, from the host out of the card (NS_FORWARD). Fails with not_supported if
  /// the module would drop it: if the ring is not set_forwarding(), if the packet has several
  /// fragments, or if it is on a host ring other than the first, or with a data offset.
  Result<> pass(const Packet& packet) {
    const bool is_on = (detail::load(ring_->flags) & abi::ring_flags::forward) != 0;
    const bool is_one_way = is_host() && (index() != 0 || bounds().offsets.mask != 0);
    if (!is_on || is_one_way || !packet.is_linear()) return detail::refuse(errc::not_supported);
    RxSlot slot = packet.fragments().front();
    slot.set_flags(slot.flags() | abi::slot_flags::forward);
    return {};
  }
  /// When the last sync_rx() looked, to the microsecond, by the wall clock; the epoch if the ring
  /// holds no time. Meaningless unless set_timestamps(true) came before that sync.
  [[nodiscard]] std::chrono::system_clock::time_point timestamp() const noexcept;

 private:
  friend class Port;
  using Ring::Ring;

  /// Leaves cur where seen() put it, unless that is behind the new head.
  Result<> release_seen(Position position);

  void set_flag(std::uint32_t flag, bool on) noexcept {
    const std::uint32_t flags = detail::load(ring_->flags);
    detail::store(ring_->flags, on ? flags | flag : flags & ~flag);
  }

  bool has_seen_ = false;
};

/// Packets to send.
class NETMAP_BUILD_TAG TxRing : public Ring {
 public:
  /// Every free slot, in the order in which they will be sent.
  [[nodiscard]] TxSlots slots() const noexcept NETMAP_LIFETIMEBOUND {
    const Owned now = owned();
    return {place(now.head), bounds().slots.first + now.tail};
  }

  /// Of a pipe: the slots from `first` on that came back, including the one at tail. That one is
  /// not owned, so it cannot be committed, but it was given back by the receiver as the others
  /// were, and nobody but this program touches it until it is sent again: whoever passes on what
  /// comes back need not leave the last packet until another one follows. `first` is the place
  /// behind the slots that the last call yielded, at the beginning the place behind tail.
  [[nodiscard]] TxSlots returned(Position first) const noexcept NETMAP_LIFETIMEBOUND {
    const Position end = behind_tail();
    const std::uint32_t from = first.index() < num_slots() ? first.index() : end.index();
    return {place(from), bounds().slots.first + end.index()};
  }
  [[nodiscard]] Position behind_tail() const noexcept { return Position(advance(owned().tail, 1)); }

  /// Hands over every slot before `position`, to be sent at the next sync. Slots must have had
  /// their length set. Fails with position_out_of_range, moving nothing.
  Result<> commit(Position position) {
    auto committed = hand_over(position);
    if (committed) [[likely]]
      ledger_->wanted = 1;
    return committed;
  }

  /// Copies one packet in, over as many slots as it needs, and commits it. Fails with ring_full
  /// or packet_too_large, sending nothing.
  Result<> send(std::span<const std::byte> packet);

  /// Begins a packet to be filled in place; see PacketWriter.
  [[nodiscard]] PacketWriter writer() noexcept NETMAP_LIFETIMEBOUND;

  /// Asks to be woken when `free_slots` are free; holds until the next commit or Port::drain().
  /// Fails with ring_full if the ring can never have that many.
  Result<> want(std::uint32_t free_slots) {
    if (free_slots == 0 || free_slots >= num_slots()) return detail::refuse(errc::ring_full);
    ledger_->wanted = free_slots;
    park();
    return {};
  }

  /// Asks not to be woken, however many slots are free, until the next commit or want().
  void want_none() noexcept {
    ledger_->wanted = num_slots();
    park();
  }

  /// Whether as many slots are free as were asked for, by default one.
  [[nodiscard]] bool is_ready() const noexcept { return slots().size() >= ledger_->wanted; }

  /// Committed slots that the other side had not taken at the last sync.
  [[nodiscard]] std::uint32_t pending() const noexcept {
    const Owned now = owned();
    return num_slots() - 1 - distance(now.head, now.tail);
  }

 private:
  friend class Port;
  using Ring::Ring;

  /// Puts cur where the tail passes it once as many slots are free as are wanted, as far as that
  /// is owned yet.
  void park() noexcept {
    const Owned now = owned();
    const std::uint32_t ahead = std::min(ledger_->wanted - 1, distance(now.head, now.tail));
    detail::store(ring_->cur, advance(now.head, ahead));
  }
};

}  // namespace netmap

#include <netmap/writer.hpp>
