// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/slot.hpp>

namespace nmx {

/// Fetches the first bytes of buffers a few slots before they are used. Where the other end last
/// touched them on another CPU, waiting for one after the other would take most of the time.
template <class View>
class LookAhead {
 public:
  explicit LookAhead(const netmap::Slots<View>& slots) : next_(slots.begin()), end_(slots.end()) {
    step(8);
  }

  /// So many slots have been used.
  void step(std::size_t slots) {
    for (; slots != 0 && next_ != end_; --slots, ++next_) fetch(*next_);
  }

 private:
  static void fetch(const netmap::RxSlot& slot) { __builtin_prefetch(slot.bytes().data(), 0); }
  static void fetch(const netmap::TxSlot& slot) { __builtin_prefetch(slot.buffer().data(), 1); }

  typename netmap::Slots<View>::iterator next_;
  typename netmap::Slots<View>::iterator end_;
};

}  // namespace nmx
