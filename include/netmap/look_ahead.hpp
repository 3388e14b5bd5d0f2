// SPDX-License-Identifier: BSD-2-Clause
//
// Fetches the buffers of slots that will be used soon. A buffer that the other end used last, on
// another CPU, takes its time to come; a loop that waits for one after the other spends most of its
// own so, above all one that writes.
//
//     netmap::LookAhead ahead(free);  // = ring.slots()
//     for (netmap::TxSlot slot : free) { …; ahead.step(); }
//
// Worth it where packets are touched in order and many at a time; of no use for packets that are
// forwarded unread.
#pragma once

#include <netmap/slot.hpp>

#include <cstddef>

namespace netmap {

namespace detail {

/// Fetches what will be written, for this CPU alone: a line that came to be read has to be asked
/// for once more. Every x86-64 since 2006 takes the instruction, some as none, but compilers use it
/// only when told to build for newer ones.
[[gnu::always_inline]] inline void fetch_to_write(const void* at) noexcept {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(at)));
#else
  __builtin_prefetch(at, 1);
#endif
}

}  // namespace detail

/// Stays a few slots ahead of a loop over `slots`. Good until any of them is released or committed.
template <class View>
class LookAhead {
 public:
  explicit LookAhead(const Slots<View>& slots) noexcept(!NETMAP_CHECKED)
      : next_(slots.begin()), end_(slots.end()) {
    step(8);
  }

  /// A slot has been used. Inline, so that its state is in registers: stored on the stack for each
  /// packet it would wait behind the very stores that are to be made faster.
  [[gnu::always_inline]] void step() noexcept(!NETMAP_CHECKED) {
    if (next_ == end_) return;
    fetch(*next_);
    ++next_;
  }
  /// So many slots have been used.
  [[gnu::always_inline]] void step(std::size_t slots) noexcept(!NETMAP_CHECKED) {
    for (; slots != 0; --slots) step();
  }

 private:
  // g++ 12 takes a function that only fetches for one without effect, and drops calls of it.
  [[gnu::always_inline]] static void fetch(const RxSlot& slot) noexcept(!NETMAP_CHECKED) {
    __builtin_prefetch(slot.bytes().data());
  }
  [[gnu::always_inline]] static void fetch(const TxSlot& slot) noexcept(!NETMAP_CHECKED) {
    detail::fetch_to_write(slot.buffer().data());
  }

  typename Slots<View>::iterator next_;
  typename Slots<View>::iterator end_;
};

}  // namespace netmap
