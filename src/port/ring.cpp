// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/ring.hpp>

namespace netmap {

void Ring::account() noexcept {
  for (const std::uint32_t head = owned().head; accounted_ != head;
       accounted_ = bounds_.next(accounted_)) {
    const auto word = detail::load(bounds_.slots[accounted_]);
    ++stats_.slots;
    stats_.packets += word.more_fragments() ? 0 : 1;
    stats_.bytes += word.length;
  }
}

}  // namespace netmap
