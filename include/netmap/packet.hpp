// SPDX-License-Identifier: BSD-2-Clause
//
// A packet is one slot, or several of which all but the last carry NS_MOREFRAG. Packets is a
// forward range of the whole packets in a ring; a last one that is still arriving is not shown.
#pragma once

#include <netmap/slot.hpp>

namespace netmap {

/// A received packet, in place. Good until its slots are released.
class Packet {
 public:
  /// The first fragment: the headers always, the whole packet if it has one fragment.
  [[nodiscard]] std::span<std::byte> front() const noexcept(!NETMAP_CHECKED) {
    first_.check();
    return front_;
  }
  /// Whether front() is the whole packet.
  [[nodiscard]] bool is_linear() const noexcept { return !detail::has_more_fragments(flags_); }
  [[nodiscard]] RxSlots fragments() const noexcept(!NETMAP_CHECKED) { return {first_, end()}; }

  /// Bytes in all fragments.
  [[nodiscard]] std::size_t size() const noexcept(!NETMAP_CHECKED) {
    first_.check();
    if (is_linear()) [[likely]]
      return front_.size();
    return sum(*first_.bounds, first_.slot, last_);
  }

  /// Copies the packet; yields its size. Fails with packet_too_large, having copied nothing, if
  /// it does not fit, and with ring_corrupt if a slot of it names no buffer: a packet is never cut.
  Result<std::size_t> copy_to(std::span<std::byte> into) const {
    const std::size_t bytes = size();
    if (bytes > into.size()) return detail::refuse<std::size_t>(errc::packet_too_large);
    std::byte* out = into.data();
    std::size_t room = into.size();
    for (const RxSlot fragment : fragments()) {
      const auto part = fragment.bytes();
      if (!fragment.is_sound() || part.size() > room)
        return detail::refuse<std::size_t>(errc::ring_corrupt);
      if (!part.empty()) std::memcpy(out, part.data(), part.size());
      out += part.size();
      room -= part.size();
    }
    return into.size() - room;
  }

  [[nodiscard]] Position position() const noexcept { return first_.position(); }
  /// The place behind the packet's last slot.
  [[nodiscard]] Position after() const noexcept(!NETMAP_CHECKED) {
    return Position(first_.bounds->slots.index(end()));
  }

 private:
  friend class Packets;

  /// The packet that begins at `first`, which has `flags`, in slots owned up to `last`.
  Packet(const detail::Place& first, const detail::Bounds& bounds, std::uint16_t flags,
         abi::netmap_slot* last) noexcept(!NETMAP_CHECKED)
      : first_((first.check(), first)),
        last_(last),
        front_(detail::bytes_of(bounds.buffers, *first.bounds, *first.slot,
                                detail::load(first.slot->buf_idx), detail::load(first.slot->len))),
        flags_(flags) {}

  [[nodiscard]] abi::netmap_slot* end() const noexcept(!NETMAP_CHECKED) {
    first_.check_open();
    if (is_linear()) [[likely]]
      return first_.bounds->slots.next(first_.slot);
    return end_of_fragments(*first_.bounds, first_.slot, last_);
  }

  NETMAP_RARE_CALL [[gnu::pure]] static abi::netmap_slot* end_of_fragments(
      const detail::Bounds& bounds, abi::netmap_slot* slot, abi::netmap_slot* last) noexcept {
    for (bool more = true; more && slot != last; slot = bounds.slots.next(slot)) {
      more = detail::has_more_fragments(detail::load(slot->flags));
    }
    return slot;
  }
  NETMAP_RARE_CALL [[gnu::pure]] static std::size_t sum(const detail::Bounds& bounds,
                                                        abi::netmap_slot* slot,
                                                        abi::netmap_slot* last) noexcept {
    std::size_t size = 0;
    for (bool more = true; more && slot != last; slot = bounds.slots.next(slot)) {
      size += detail::bytes_of(bounds.buffers, bounds, *slot, detail::load(slot->buf_idx),
                               detail::load(slot->len))
                  .size();
      more = detail::has_more_fragments(detail::load(slot->flags));
    }
    return size;
  }

  detail::Place first_;
  abi::netmap_slot* last_;
  std::span<std::byte> front_;
  std::uint16_t flags_;
};

/// Whole packets of one ring, oldest first.
class Packets {
 public:
  /// Over packets; converts to the Position before the packet it is at.
  class iterator {
   public:
    using value_type = Packet;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::forward_iterator_tag;
    using iterator_category = std::input_iterator_tag;

    iterator() = default;
    iterator(const detail::Place& place, abi::netmap_slot* last) noexcept(!NETMAP_CHECKED)
        : bounds_(*place.bounds), place_(place), last_(last) {
      look();
    }

    [[nodiscard]] Packet operator*() const noexcept(!NETMAP_CHECKED) {
      return {place_, bounds_, flags_, last_};
    }
    operator Position() const noexcept { return place_.position(); }  // NOLINT: by design

    iterator& operator++() noexcept(!NETMAP_CHECKED) {
      place_.check_open();
      if (detail::has_more_fragments(flags_)) [[unlikely]] {
        place_.slot = Packet::end_of_fragments(*place_.bounds, place_.slot, last_);
      } else {
        place_.slot = bounds_.slots.next(place_.slot);
      }
      look();
      return *this;
    }
    iterator operator++(int) noexcept(!NETMAP_CHECKED) {
      return std::exchange(*this, ++iterator(*this));
    }

    bool operator==(const iterator& other) const noexcept {
      return place_.slot == other.place_.slot;
    }

   private:
    void look() noexcept(!NETMAP_CHECKED) {
      place_.check_open();
      if (place_.slot != last_) flags_ = detail::load(place_.slot->flags);
    }

    detail::Bounds bounds_{};  // a copy: see Slots::iterator
    detail::Place place_{};
    abi::netmap_slot* last_ = nullptr;
    std::uint16_t flags_ = 0;
  };

  /// Of the slots up to `last`, those that make whole packets.
  Packets(const detail::Place& first, abi::netmap_slot* last) noexcept
      : first_(first), last_(last) {
    while (last_ != first_.slot) {
      auto* const before = first_.bounds->slots.previous(last_);
      if (!detail::has_more_fragments(detail::load(before->flags))) [[likely]]
        break;
      last_ = before;
    }
  }

  /// The slots of all these packets.
  [[nodiscard]] RxSlots slots() const noexcept { return {first_, last_}; }
  [[nodiscard]] iterator begin() const noexcept(!NETMAP_CHECKED) { return {first_, last_}; }
  [[nodiscard]] iterator end() const noexcept(!NETMAP_CHECKED) {
    auto place = first_;
    place.slot = last_;
    return {place, last_};
  }
  [[nodiscard]] bool empty() const noexcept { return first_.slot == last_; }

 private:
  detail::Place first_;
  abi::netmap_slot* last_;
};

}  // namespace netmap
