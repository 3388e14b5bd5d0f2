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
/// over length and NS_MOREFRAG, and sets NS_BUF_CHANGED on both; data offsets go with their
/// buffers. Fails with ring_corrupt if either names no buffer, with not_supported if their rings
/// have different data offsets; nothing is done then. Precondition: their rings are in one region.
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

/// What a program has handed over, by a sync, since its port was opened: sent, or received and
/// released.
struct RingStats {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

namespace detail {

/// What a ring and its device tell each other; kept by the device.
struct Ledger {
  RingStats stats;           ///< device: counted slot by slot, before the other side has them
  bool has_swapped = false;  ///< user: since the last sync, some slot's buffer was swapped
  bool is_raw = false;       ///< user: holds bare pointers, so has_swapped says nothing
  std::uint32_t wanted = 1;  ///< user: how many free slots to be woken for; none if out of reach
};

inline void count(RingStats& stats, SlotWord word) noexcept {
  stats.packets += word.more_fragments() ? 0 : 1;
  stats.bytes += word.length;
}

/// The same for the slots from `from` up to `to`, which are in the circle.
inline void count(RingStats& stats, const SlotCircle& slots, std::uint32_t from,
                  std::uint32_t to) noexcept {
  RingStats moved;  // apart, so that it stays in registers
  const auto count_run = [&](const abi::netmap_slot* slot, const abi::netmap_slot* end) {
    for (; slot != end; ++slot) count(moved, load(*slot));
  };
  if (to < from) count_run(slots.first + std::exchange(from, 0), slots.end);
  count_run(slots.first + from, slots.first + to);
  stats.packets += moved.packets;
  stats.bytes += moved.bytes;
}

/// Where a view looks: one slot of one ring.
struct Place {
  const Bounds* bounds;
  abi::netmap_slot* slot;
  Ledger* ledger;
  [[no_unique_address]] Watch watch;

  [[nodiscard]] Position position() const noexcept { return Position(bounds->slots.index(slot)); }
  /// The slot's offset or buffer was changed.
  void forget_start() const noexcept {
    if (bounds->offsets.starts != nullptr) bounds->offsets.starts[position().index()] = 0;
  }
  void check() const noexcept(!NETMAP_CHECKED) { watch.check(slot); }
  void check_open() const noexcept(!NETMAP_CHECKED) { watch.check_open(); }
};

/// swap() without telling the device, which forward() does once for many. Yields false if it does
/// nothing.
[[nodiscard]] bool exchange(RxSlot& received, TxSlot& free) noexcept(!NETMAP_CHECKED);
/// Copies what was received, the last or only fragment of its packet. Yields false, and does
/// nothing, if one of the slots is not sound or has a data offset, or if it does not fit.
[[nodiscard]] bool copy(RxSlot& received, TxSlot& free) noexcept(!NETMAP_CHECKED);
/// What TxSlot::set_length() does for rings with data offsets; errc{} if it did.
NETMAP_RARE_CALL inline errc set_length(const Bounds& bounds, abi::netmap_slot& slot,
                                        std::size_t length, std::uint16_t flags) noexcept {
  if (start_of(bounds, slot, 0) == 0) return errc::ring_corrupt;
  if (length > UINT16_MAX || start_of(bounds, slot, length) == 0) return errc::packet_too_large;
  const int kept = load(slot.flags) & abi::slot_flags::buf_changed;
  store(slot.len, static_cast<std::uint16_t>(length));
  store(slot.flags, static_cast<std::uint16_t>(kept | flags));
  return {};
}

/// exchange() for rings with data offsets.
[[nodiscard]] bool exchange_with_offsets(const Bounds& rx, abi::netmap_slot& received,
                                         const Bounds& tx, abi::netmap_slot& free) noexcept;

/// Puts `buffer`'s index and offset into the slot and the slot's into `buffer`. Defined in
/// buffer.cpp.
Result<> swap(abi::netmap_slot& slot, const Bounds& bounds, Buffer& buffer);

}  // namespace detail

/// What both directions share. Not used by itself.
class Slot {
 public:
  [[nodiscard]] std::uint32_t buffer_index() const noexcept { return index_; }
  /// Where in its buffer the packet begins, in bytes; 0 unless the ring has data offsets.
  [[nodiscard]] std::size_t offset() const noexcept {
    return detail::start_of(*place_.bounds, *place_.slot, 0) % buffers_.size;
  }
  /// Lets the packet begin `bytes` into its buffer: of a free slot the one to be written, before
  /// its length is set; of a received one the next, where the other side allows. Fails with
  /// not_supported if the ring has no data offsets, with packet_too_large beyond the largest that
  /// was asked for or the buffer.
  ///
  /// On a pipe whose other end was opened with offsets too, only let it grow: the module shows the
  /// receiver the larger of the sender's and the one its own slot had, wherever the packet is.
  Result<> set_offset(std::size_t bytes) {
    place_.check();
    const auto& offsets = place_.bounds->offsets;
    if (offsets.mask == 0) return detail::refuse(errc::not_supported);
    if (bytes > offsets.max || bytes >= buffers_.size) {
      return detail::refuse(errc::packet_too_large);
    }
    offsets.store_to(*place_.slot, bytes);
    place_.forget_start();
    place_.ledger->has_swapped = true;
    return {};
  }
  [[nodiscard]] Position position() const noexcept { return place_.position(); }
  /// The place behind this slot.
  [[nodiscard]] Position after() const noexcept {
    const auto& slots = place_.bounds->slots;
    return Position(slots.index(slots.next(place_.slot)));
  }
  /// The kernel's structure; see Ring::raw().
  [[nodiscard]] abi::netmap_slot* raw() const noexcept {
    place_.ledger->is_raw = true;
    place_.forget_start();
    return place_.slot;
  }

  /// Exchanges buffers and data offsets without touching bytes and sets NS_BUF_CHANGED. Fails with
  /// not_supported if `buffer` lies in another region or begins at an offset that the ring cannot
  /// have, with ring_corrupt if the slot names no buffer.
  Result<> swap(Buffer& buffer) {
    place_.check();
    place_.ledger->has_swapped = true;
    auto done = detail::swap(*place_.slot, *place_.bounds, buffer);
    place_.forget_start();
    look();
    return done;
  }

 protected:
  Slot(const detail::Place& place, const detail::BufferArea& buffers) noexcept(!NETMAP_CHECKED)
      : place_((place.check(), place)),
        buffers_(buffers),
        index_(detail::load(place.slot->buf_idx)) {}

  /// Learns what became of the slot when somebody else exchanged its buffer.
  void look() noexcept { index_ = detail::load(place_.slot->buf_idx); }

  friend bool detail::exchange(RxSlot& received, TxSlot& free) noexcept(!NETMAP_CHECKED);
  friend bool detail::copy(RxSlot& received, TxSlot& free) noexcept(!NETMAP_CHECKED);
  friend Result<> swap(RxSlot& received, TxSlot& free);

  detail::Place place_;
  detail::BufferArea buffers_;
  std::uint32_t index_;
};

/// A received slot.
class RxSlot : public Slot {
 public:
  RxSlot(const detail::Place& place, const detail::BufferArea& buffers) noexcept(!NETMAP_CHECKED)
      : Slot(place, buffers),
        length_(detail::load(place.slot->len)),
        flags_(detail::load(place.slot->flags)) {}

  /// The received bytes; they may be changed in place. Empty if the slot names no buffer.
  [[nodiscard]] std::span<std::byte> bytes() const noexcept(!NETMAP_CHECKED) {
    place_.check();
    return detail::bytes_of(buffers_, *place_.bounds, *place_.slot, index_, length_);
  }
  /// Bytes received, as the slot says.
  [[nodiscard]] std::uint16_t length() const noexcept { return length_; }
  [[nodiscard]] std::uint16_t flags() const noexcept { return flags_; }
  [[nodiscard]] bool more_fragments() const noexcept { return detail::has_more_fragments(flags_); }
  /// Whether the slot names a buffer that holds its length. If not, the other side broke it.
  [[nodiscard]] bool is_sound() const noexcept {
    const bool is_plain = buffers_.is_plain(index_) && length_ <= buffers_.size;
    return is_plain || detail::start_of(*place_.bounds, *place_.slot, length_) != 0;
  }

  /// NS_FORWARD and its like, for the next sync.
  void set_flags(std::uint16_t flags) noexcept(!NETMAP_CHECKED) {
    place_.check();
    flags_ = flags;
    detail::store(place_.slot->flags, flags);
  }

 private:
  friend bool detail::exchange(RxSlot& received, TxSlot& free) noexcept(!NETMAP_CHECKED);
  friend bool detail::copy(RxSlot& received, TxSlot& free) noexcept(!NETMAP_CHECKED);
  friend Result<> swap(RxSlot& received, TxSlot& free);

  std::uint16_t length_;
  std::uint16_t flags_;
};

/// A slot to send.
class TxSlot : public Slot {
 public:
  TxSlot(const detail::Place& place, const detail::BufferArea& buffers) noexcept(!NETMAP_CHECKED)
      : Slot(place, buffers) {}

  /// The whole buffer, from the slot's offset on, to be filled. Empty if the slot names none.
  [[nodiscard]] std::span<std::byte> buffer() const noexcept(!NETMAP_CHECKED) {
    place_.check();
    std::size_t start;
    std::size_t size = buffers_.capacity();
    if (!buffers_.is_plain(index_)) [[unlikely]] {
      start = detail::start_of(*place_.bounds, *place_.slot, 0);
      size = start == 0 ? 0 : std::min<std::size_t>(buffers_.size - start % buffers_.size, size);
    } else {
      start = std::size_t{index_} * buffers_.size;
    }
    return {buffers_.base + start, size};
  }
  [[nodiscard]] std::uint16_t flags() const noexcept { return detail::load(place_.slot->flags); }

  /// Says that the first `length` bytes are to be sent. Flags of earlier use are cleared, except
  /// NS_BUF_CHANGED, which the driver has yet to see. Fails with packet_too_large if the buffer
  /// is smaller, and with ring_corrupt if there is none; the slot is then as before.
  Result<> set_length(std::size_t length, std::uint16_t flags = 0) {
    place_.check();
    if (!buffers_.is_plain(index_)) [[unlikely]] {
      const errc why = detail::set_length(*place_.bounds, *place_.slot, length, flags);
      return why == errc{} ? Result<>() : detail::refuse(why);
    }
    if (length > buffers_.size || length > UINT16_MAX) [[unlikely]]
      return detail::refuse(errc::packet_too_large);
    const int kept = this->flags() & abi::slot_flags::buf_changed;
    detail::store(place_.slot->len, static_cast<std::uint16_t>(length));
    detail::store(place_.slot->flags, static_cast<std::uint16_t>(kept | flags));
    return {};
  }

  /// Copies `bytes` in and sets the length.
  Result<> write(std::span<const std::byte> bytes, std::uint16_t flags = 0) {
    auto set = set_length(bytes.size(), flags);
    if (!set || bytes.empty()) return set;
    const auto into = buffer();
    if (into.size() < bytes.size()) [[unlikely]]  // the other side moved the offset
      return detail::refuse(errc::ring_corrupt);
    detail::copy_bytes(into.data(), bytes.data(), bytes.size());
    return set;
  }
};

inline bool detail::exchange(RxSlot& received, TxSlot& free) noexcept(!NETMAP_CHECKED) {
  received.place_.check();
  free.place_.check();
  const BufferArea& buffers = received.buffers_;
  if (!buffers.is_plain(received.index_) || received.length_ > buffers.size ||
      !buffers.is_plain(free.index_)) [[unlikely]] {
    const bool is_done = exchange_with_offsets(*received.place_.bounds, *received.place_.slot,
                                               *free.place_.bounds, *free.place_.slot);
    received.look();
    free.look();
    received.flags_ = load(received.place_.slot->flags);
    return is_done;
  }
  constexpr auto changed = abi::slot_flags::buf_changed;
  const int kept = received.flags_ & abi::slot_flags::more_fragments;
  std::swap(received.index_, free.index_);
  received.flags_ |= changed;
  // This first: what was received, but not what was free, has a second name at its sender, if the
  // process dies here.
  store(received.place_.slot->buf_idx, received.index_);
  store(received.place_.slot->flags, received.flags_);
  std::atomic_signal_fence(std::memory_order_release);
  store(free.place_.slot->buf_idx, free.index_);
  store(free.place_.slot->len, received.length_);
  store(free.place_.slot->flags, static_cast<std::uint16_t>(kept | changed));
  return true;
}

inline bool detail::copy(RxSlot& received, TxSlot& free) noexcept(!NETMAP_CHECKED) {
  received.place_.check();
  free.place_.check();
  const BufferArea& from = received.buffers_;
  const BufferArea& to = free.buffers_;
  const std::size_t length = received.length_;
  if (!from.is_plain(received.index_) || !to.is_plain(free.index_) || length > from.size ||
      length > to.size) [[unlikely]] {
    return false;
  }
  const int kept = free.flags() & abi::slot_flags::buf_changed;
  store(free.place_.slot->len, received.length_);
  store(free.place_.slot->flags, static_cast<std::uint16_t>(kept));
  copy_bytes(to.base + std::size_t{free.index_} * to.size,
             from.base + std::size_t{received.index_} * from.size, length);
  return true;
}

[[gnu::always_inline]] inline Result<> swap(RxSlot& received, TxSlot& free) {
  if (received.place_.bounds->offsets != free.place_.bounds->offsets) {
    return detail::refuse(errc::not_supported);
  }
  if (!detail::exchange(received, free)) return detail::refuse(errc::ring_corrupt);
  received.place_.ledger->has_swapped = true;
  free.place_.ledger->has_swapped = true;
  return {};
}

/// Consecutive slots of one ring.
template <class View>
class Slots {
 public:
  /// Over slots; converts to the Position before the slot it is at.
  class iterator {
   public:
    using value_type = View;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::random_access_iterator_tag;
    using iterator_category = std::input_iterator_tag;

    iterator() = default;

    [[nodiscard]] View operator*() const noexcept(!NETMAP_CHECKED) {
      return View(place_, bounds_.buffers);
    }
    [[nodiscard]] View operator[](difference_type n) const noexcept(!NETMAP_CHECKED) {
      return *(*this + n);
    }
    operator Position() const noexcept { return place_.position(); }  // NOLINT: by design

    iterator& operator++() noexcept {
      place_.slot = bounds_.slots.next(place_.slot);
      return *this;
    }
    iterator& operator--() noexcept {
      place_.slot = bounds_.slots.previous(place_.slot);
      return *this;
    }
    iterator& operator+=(difference_type n) noexcept {
      place_.slot = bounds_.slots.advance(place_.slot, n);
      return *this;
    }
    iterator& operator-=(difference_type n) noexcept { return *this += -n; }
    iterator operator++(int) noexcept { return std::exchange(*this, ++iterator(*this)); }
    iterator operator--(int) noexcept { return std::exchange(*this, --iterator(*this)); }

    friend iterator operator+(iterator i, difference_type n) noexcept { return i += n; }
    friend iterator operator+(difference_type n, iterator i) noexcept { return i += n; }
    friend iterator operator-(iterator i, difference_type n) noexcept { return i -= n; }
    friend difference_type operator-(const iterator& a, const iterator& b) noexcept {
      return a.offset() - b.offset();
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept {
      return a.place_.slot == b.place_.slot;
    }
    friend auto operator<=>(const iterator& a, const iterator& b) noexcept {
      return a.offset() <=> b.offset();
    }

   private:
    friend class Slots;

    iterator(const detail::Place& place, abi::netmap_slot* first) noexcept
        : bounds_(*place.bounds), place_(place), first_(first) {}
    [[nodiscard]] difference_type offset() const noexcept {
      return bounds_.slots.distance(first_, place_.slot);
    }

    detail::Bounds bounds_{};  // a copy, which no store to a packet can change: kept in registers
    detail::Place place_{};
    abi::netmap_slot* first_ = nullptr;
  };

  Slots(const detail::Place& first, abi::netmap_slot* last) noexcept : first_(first), last_(last) {}

  [[nodiscard]] iterator begin() const noexcept { return {first_, first_.slot}; }
  [[nodiscard]] iterator end() const noexcept {
    auto place = first_;
    place.slot = last_;
    return {place, first_.slot};
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return first_.bounds->slots.distance(first_.slot, last_);
  }
  [[nodiscard]] bool empty() const noexcept { return first_.slot == last_; }
  /// Precondition: n < size().
  [[nodiscard]] View operator[](std::size_t n) const noexcept(!NETMAP_CHECKED) {
    return begin()[static_cast<std::ptrdiff_t>(n)];
  }
  [[nodiscard]] View front() const noexcept(!NETMAP_CHECKED) { return *begin(); }

 private:
  detail::Place first_;
  abi::netmap_slot* last_;
};

/// Received slots; see RxRing::slots().
using RxSlots = Slots<RxSlot>;
/// Free slots; see TxRing::slots().
using TxSlots = Slots<TxSlot>;

}  // namespace netmap
