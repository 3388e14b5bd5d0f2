// SPDX-License-Identifier: BSD-2-Clause
#include "device/own_ring.hpp"

#include <cstring>

namespace netmap {

std::optional<std::uint32_t> OwnRing::head() noexcept {
  const std::uint32_t head = detail::load(ring_->head);
  if (is_kept(head)) return head;
  reset();
  return {};
}

SlotRange OwnRing::handed_over() const noexcept {
  const std::uint32_t head = detail::load(ring_->head);
  return SlotRange::between(&slot(0), size(), first_, is_kept(head) ? head : first_);
}

void OwnRing::reset() noexcept {
  detail::store(ring_->cur, first_);
  detail::store(ring_->head, first_);
  detail::store(ring_->tail, tail_);
}

bool OwnRing::write(std::uint32_t index, std::span<const std::byte> packet,
                    std::uint16_t flags) noexcept {
  detail::SlotWord word{detail::load(slot(index)).index, static_cast<std::uint16_t>(packet.size()),
                        flags};
  const auto into = bytes(word);
  if (!into) {
    word.length = 0;
  } else if (!packet.empty()) {
    std::memcpy(into->data(), packet.data(), packet.size());
  }
  detail::store(slot(index), word);
  return into.has_value();
}

void OwnRing::pass(std::uint32_t end) noexcept {
  detail::count(counted(), bounds_.slots, first_, end);
  first_ = end;
}

}  // namespace netmap
