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

/// Stays a few slots ahead of a loop over `slots`. Good until any of them is released or committed.
template <class View>
class LookAhead {
 public:
  explicit LookAhead(const Slots<View>& slots) : next_(slots.begin()), end_(slots.end()) {
    step(8);
  }

  /// So many slots have been used.
  void step(std::size_t slots = 1) {
    for (; slots != 0 && next_ != end_; --slots, ++next_) fetch(*next_);
  }

 private:
  static void fetch(const RxSlot& slot) { __builtin_prefetch(slot.bytes().data(), 0); }
  static void fetch(const TxSlot& slot) { __builtin_prefetch(slot.buffer().data(), 1); }

  typename Slots<View>::iterator next_;
  typename Slots<View>::iterator end_;
};

}  // namespace netmap
