// SPDX-License-Identifier: BSD-2-Clause
//
// Slots the program owns, seen as a sized, random-access range. A slot names a buffer, a length
// and flags; it never holds a pointer. A view lives as long as its slot is owned: until the slot
// is released or committed, or its port is closed.
#pragma once

#include <netmap/detail/checked.hpp>
#include <netmap/detail/memory.hpp>
#include <netmap/error.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

namespace netmap {

class Buffer;
class RxSlot;
class TxSlot;

/// Zero-copy forwarding of one slot: exchanges the buffers of a received and a free slot, takes
/// over length and NS_MOREFRAG, and sets NS_BUF_CHANGED on both. Fails with ring_corrupt if either
/// names no buffer; nothing is done then. Precondition: their rings are in one region.
Result<> swap(RxSlot& received, TxSlot& free);

/// A place between two slots of one ring: everything before it can be released or committed.
class Position {
 public:
  /// The place before the slot with this index, for code that also works on the raw ring.
  explicit constexpr Position(std::uint32_t index) noexcept : index_(index) {}
  [[nodiscard]] constexpr std::uint32_t index() const noexcept { return index_; }
  friend constexpr bool operator==(Position, Position) = default;

 private:
  std::uint32_t index_;
};

/// What a ring's syncs have moved since its port was opened.
struct RingStats {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

namespace detail {

/// What a ring and its device tell each other; kept by the device.
struct Ledger {
  RingStats stats;           ///< device: counted as it walks over the slots
  bool has_swapped = false;  ///< user: since the last sync, some slot's buffer was swapped
  bool is_raw = false;       ///< user: holds bare pointers, so has_swapped says nothing
};

inline void count(RingStats& stats, SlotWord word) noexcept {
  stats.packets += word.more_fragments() ? 0 : 1;
  stats.bytes += word.length;
}

/// Where a view looks: one slot of one ring, `offset` slots behind the head it was made at.
struct Place {
  Bounds bounds;
  Ledger* ledger;
  [[no_unique_address]] Watch watch;
  std::uint32_t origin;
  std::uint32_t index;

  [[nodiscard]] std::uint32_t offset() const noexcept { return bounds.distance(origin, index); }
  void check() const noexcept(!NETMAP_CHECKED) { watch.check(offset()); }
};

/// Puts `buffer`'s index into the slot and the slot's into `buffer`. Defined in buffer.cpp.
Result<> swap(abi::netmap_slot& slot, const Bounds& bounds, Buffer& buffer);

}  // namespace detail

/// What both directions share. Not used by itself.
class Slot {
 public:
  [[nodiscard]] std::uint16_t flags() const noexcept { return word_.flags; }
  [[nodiscard]] std::uint32_t buffer_index() const noexcept { return word_.index; }
  [[nodiscard]] Position position() const noexcept { return Position(place_.index); }
  /// The place behind this slot.
  [[nodiscard]] Position after() const noexcept {
    return Position(place_.bounds.next(place_.index));
  }
  /// The kernel's structure; see Ring::raw().
  [[nodiscard]] abi::netmap_slot* raw() const noexcept {
    place_.ledger->is_raw = true;
    return &memory();
  }

  /// Exchanges buffers without touching bytes and sets NS_BUF_CHANGED. Fails with not_supported
  /// if `buffer` lies in another region, with ring_corrupt if the slot names no buffer.
  Result<> swap(Buffer& buffer) {
    place_.check();
    place_.ledger->has_swapped = true;
    auto done = detail::swap(memory(), place_.bounds, buffer);
    word_ = detail::load(memory());
    return done;
  }

 protected:
  explicit Slot(const detail::Place& place) noexcept
      : place_(place), word_(detail::load(place.bounds.slots[place.index])) {}

  friend Result<> swap(RxSlot& received, TxSlot& free);
  [[nodiscard]] abi::netmap_slot& memory() const noexcept {
    return place_.bounds.slots[place_.index];
  }
  [[nodiscard]] bool is_sound() const noexcept {
    return place_.bounds.is_buffer(word_.index) && word_.length <= place_.bounds.buffer_size;
  }
  [[gnu::cold, gnu::noinline]] static Result<> refuse(errc code) {
    return std::unexpected(Error(code));
  }

  detail::Place place_;
  detail::SlotWord word_;
};

/// A received slot.
class RxSlot : public Slot {
 public:
  explicit RxSlot(const detail::Place& place) noexcept : Slot(place) {}

  /// The received bytes; they may be changed in place. Empty if the slot names no buffer.
  [[nodiscard]] std::span<std::byte> bytes() const noexcept(!NETMAP_CHECKED) {
    place_.check();
    return place_.bounds.bytes(word_);
  }
  [[nodiscard]] bool more_fragments() const noexcept { return word_.more_fragments(); }

  /// NS_FORWARD and its like, for the next sync.
  void set_flags(std::uint16_t flags) noexcept(!NETMAP_CHECKED) {
    place_.check();
    word_.flags = flags;
    detail::store(memory(), word_);
  }
};

/// A slot to send.
class TxSlot : public Slot {
 public:
  explicit TxSlot(const detail::Place& place) noexcept : Slot(place) {}

  /// The whole buffer, to be filled. Empty if the slot names none.
  [[nodiscard]] std::span<std::byte> buffer() const noexcept(!NETMAP_CHECKED) {
    place_.check();
    return place_.bounds.buffer(word_.index);
  }

  /// Says that the first `length` bytes are to be sent. Flags of earlier use are cleared, except
  /// NS_BUF_CHANGED, which the driver has yet to see. Fails with packet_too_large if the buffer
  /// is smaller, and with ring_corrupt if there is none; the slot is then as before.
  Result<> set_length(std::size_t length, std::uint16_t flags = 0) {
    place_.check();
    if (length > place_.bounds.buffer_size) [[unlikely]]
      return refuse(errc::packet_too_large);
    if (!place_.bounds.is_buffer(word_.index)) [[unlikely]]
      return refuse(errc::ring_corrupt);
    word_.length = static_cast<std::uint16_t>(length);
    word_.flags = static_cast<std::uint16_t>((word_.flags & abi::slot_flags::buf_changed) | flags);
    detail::store(memory(), word_);
    return {};
  }

  /// Copies `bytes` in and sets the length.
  Result<> write(std::span<const std::byte> bytes, std::uint16_t flags = 0) {
    auto set = set_length(bytes.size(), flags);
    if (set && !bytes.empty()) std::memcpy(buffer().data(), bytes.data(), bytes.size());
    return set;
  }
};

inline Result<> swap(RxSlot& received, TxSlot& free) {
  received.place_.check();
  free.place_.check();
  auto& in = received.word_;
  auto& out = free.word_;
  if (!received.is_sound() || !free.place_.bounds.is_buffer(out.index)) [[unlikely]] {
    return Slot::refuse(errc::ring_corrupt);
  }
  constexpr auto changed = abi::slot_flags::buf_changed;
  std::swap(in.index, out.index);
  out.length = in.length;
  out.flags = static_cast<std::uint16_t>((in.flags & abi::slot_flags::more_fragments) | changed);
  in.flags |= changed;
  detail::store(free.memory(), out);
  detail::store(received.memory(), in);
  received.place_.ledger->has_swapped = true;
  free.place_.ledger->has_swapped = true;
  return {};
}

/// Consecutive slots of one ring.
template <class View>
class Slots {
 public:
  class iterator {
   public:
    using value_type = View;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::random_access_iterator_tag;
    using iterator_category = std::input_iterator_tag;

    iterator() = default;
    explicit iterator(const detail::Place& place) noexcept : place_(place) {}

    [[nodiscard]] View operator*() const noexcept { return View(place_); }
    [[nodiscard]] View operator[](difference_type n) const noexcept { return *(*this + n); }
    operator Position() const noexcept { return Position(place_.index); }  // NOLINT: by design

    iterator& operator++() noexcept {
      place_.index = place_.bounds.next(place_.index);
      return *this;
    }
    iterator& operator--() noexcept {
      place_.index = place_.bounds.previous(place_.index);
      return *this;
    }
    iterator& operator+=(difference_type n) noexcept {
      const auto ring = static_cast<difference_type>(place_.bounds.num_slots);
      const auto index = static_cast<difference_type>(place_.index) + n;
      place_.index = static_cast<std::uint32_t>(index < 0      ? index + ring
                                                : index < ring ? index
                                                               : index - ring);
      return *this;
    }
    iterator& operator-=(difference_type n) noexcept { return *this += -n; }
    iterator operator++(int) noexcept { return std::exchange(*this, ++iterator(*this)); }
    iterator operator--(int) noexcept { return std::exchange(*this, --iterator(*this)); }

    friend iterator operator+(iterator i, difference_type n) noexcept { return i += n; }
    friend iterator operator+(difference_type n, iterator i) noexcept { return i += n; }
    friend iterator operator-(iterator i, difference_type n) noexcept { return i -= n; }
    friend difference_type operator-(const iterator& a, const iterator& b) noexcept {
      return static_cast<difference_type>(a.place_.offset()) -
             static_cast<difference_type>(b.place_.offset());
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept {
      return a.place_.index == b.place_.index;
    }
    friend auto operator<=>(const iterator& a, const iterator& b) noexcept {
      return a.place_.offset() <=> b.place_.offset();
    }

   private:
    detail::Place place_{};
  };

  Slots(const detail::Place& first, std::uint32_t last) noexcept : first_(first), last_(last) {}

  [[nodiscard]] iterator begin() const noexcept { return iterator(first_); }
  [[nodiscard]] iterator end() const noexcept {
    auto place = first_;
    place.index = last_;
    return iterator(place);
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return first_.bounds.distance(first_.index, last_);
  }
  [[nodiscard]] bool empty() const noexcept { return first_.index == last_; }
  /// Precondition: n < size().
  [[nodiscard]] View operator[](std::size_t n) const noexcept {
    return begin()[static_cast<std::ptrdiff_t>(n)];
  }
  [[nodiscard]] View front() const noexcept { return *begin(); }

 private:
  detail::Place first_;
  std::uint32_t last_;
};

using RxSlots = Slots<RxSlot>;
using TxSlots = Slots<TxSlot>;

}  // namespace netmap
