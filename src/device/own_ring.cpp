// SPDX-License-Identifier: BSD-2-Clause
#include "device/own_ring.hpp"

namespace netmap {

std::optional<std::uint32_t> OwnRing::head() noexcept {
  const std::uint32_t head = detail::load(ring_->head);
  const std::uint32_t cur = detail::load(ring_->cur);
  const std::uint32_t owned = distance(first_, tail_);
  const bool is_kept = head < size() && cur < size() && distance(first_, head) <= owned &&
                       distance(head, cur) <= distance(head, tail_);
  if (is_kept) return head;
  reset();
  return {};
}

void OwnRing::reset() noexcept {
  detail::store(ring_->cur, first_);
  detail::store(ring_->head, first_);
  detail::store(ring_->tail, tail_);
}

void OwnRing::pass(std::uint32_t end) noexcept {
  for (; first_ != end; first_ = next(first_)) {
    detail::count(ledger_.stats, detail::load(slot(first_)));
  }
}

}  // namespace netmap
