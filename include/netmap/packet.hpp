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
  Packet(const detail::Place& first, detail::SlotWord word, std::uint32_t after) noexcept
      : first_(first), word_(word), after_(after) {}

  /// The first fragment: the headers always, the whole packet if it has one fragment.
  [[nodiscard]] std::span<std::byte> front() const noexcept(!NETMAP_CHECKED) {
    first_.check();
    return first_.bounds.bytes(word_);
  }
  /// Whether front() is the whole packet.
  [[nodiscard]] bool is_linear() const noexcept { return !word_.more_fragments(); }
  [[nodiscard]] RxSlots fragments() const noexcept { return {first_, after_}; }

  /// Bytes in all fragments.
  [[nodiscard]] std::size_t size() const noexcept(!NETMAP_CHECKED) {
    if (is_linear()) [[likely]]
      return front().size();
    std::size_t sum = 0;
    for (const RxSlot fragment : fragments()) sum += fragment.bytes().size();
    return sum;
  }

  /// Copies the packet; yields its size. Fails with packet_too_large, having copied nothing, if
  /// it does not fit: a packet is never cut.
  Result<std::size_t> copy_to(std::span<std::byte> into) const {
    const std::size_t bytes = size();
    if (bytes > into.size()) return std::unexpected(Error(errc::packet_too_large));
    std::byte* out = into.data();
    std::size_t room = into.size();
    for (const RxSlot fragment : fragments()) {
      const auto part = fragment.bytes();
      if (part.size() > room) return std::unexpected(Error(errc::ring_corrupt));
      if (!part.empty()) std::memcpy(out, part.data(), part.size());
      out += part.size();
      room -= part.size();
    }
    return into.size() - room;
  }

  [[nodiscard]] Position position() const noexcept { return Position(first_.index); }
  /// The place behind the packet's last slot.
  [[nodiscard]] Position after() const noexcept { return Position(after_); }

 private:
  detail::Place first_;
  detail::SlotWord word_;
  std::uint32_t after_;
};

/// Whole packets of one ring, oldest first.
class Packets {
 public:
  class iterator {
   public:
    using value_type = Packet;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::forward_iterator_tag;
    using iterator_category = std::input_iterator_tag;

    iterator() = default;
    iterator(const detail::Place& place, std::uint32_t last) noexcept : place_(place), last_(last) {
      find_end();
    }

    [[nodiscard]] Packet operator*() const noexcept { return {place_, word_, after_}; }
    operator Position() const noexcept { return Position(place_.index); }  // NOLINT: by design

    iterator& operator++() noexcept {
      place_.index = after_;
      find_end();
      return *this;
    }
    iterator operator++(int) noexcept { return std::exchange(*this, ++iterator(*this)); }

    friend bool operator==(const iterator& a, const iterator& b) noexcept {
      return a.place_.index == b.place_.index;
    }

   private:
    void find_end() noexcept {
      if (place_.index == last_) return;
      const auto& bounds = place_.bounds;
      word_ = detail::load(bounds.slots[place_.index]);
      after_ = bounds.next(place_.index);
      for (auto word = word_; word.more_fragments() && after_ != last_;) [[unlikely]] {
        word = detail::load(bounds.slots[after_]);
        after_ = bounds.next(after_);
      }
    }

    detail::Place place_{};
    std::uint32_t last_ = 0;
    std::uint32_t after_ = 0;
    detail::SlotWord word_{};
  };

  /// Of the slots up to `last`, those that make whole packets.
  Packets(const detail::Place& first, std::uint32_t last) noexcept : first_(first), last_(last) {
    const auto& bounds = first_.bounds;
    while (last_ != first_.index &&
           detail::load(bounds.slots[bounds.previous(last_)]).more_fragments()) [[unlikely]] {
      last_ = bounds.previous(last_);
    }
  }

  [[nodiscard]] iterator begin() const noexcept { return {first_, last_}; }
  [[nodiscard]] iterator end() const noexcept {
    auto place = first_;
    place.index = last_;
    return {place, last_};
  }
  [[nodiscard]] bool empty() const noexcept { return first_.index == last_; }

 private:
  detail::Place first_;
  std::uint32_t last_;
};

}  // namespace netmap
