// SPDX-License-Identifier: BSD-2-Clause
#include "device/xdp/rx_queue.hpp"

namespace netmap::xdp {

RxQueue::RxQueue(const RingPlace& at, const Frames& frames, const os::XdpSocket& socket,
                 bool polls_busily) noexcept
    : ring_(at),
      frames_(frames),
      socket_(&socket),
      polls_busily_(polls_busily),
      offsets_(at.bounds.offsets),
      fill_(socket.rings().fill),
      rx_(socket.rings().rx) {
  for (std::uint32_t slot = 0; slot != ring_.size(); ++slot) {
    const std::uint32_t buffer = detail::load(ring_.slot(slot)).index;
    if (frames_.has(buffer)) give(buffer);
  }
  fill_.publish();
  if (fill_.needs_wakeup()) socket_->refill();
}

/// The kernel gets them in the order of their slots, each when the next one comes.
void RxQueue::give(std::uint32_t buffer) noexcept {
  if (kept_ != 0) fill_.put(frames_.fill_address(kept_));
  kept_ = buffer;
}

SyncStatus RxQueue::sync() noexcept {
  const auto head = ring_.head();
  if (!head) return errc::ring_corrupt;
  SyncStatus done = give_back(*head);
  const bool is_idle = polls_busily_ && rx_.is_empty();
  if (is_idle || fill_.needs_wakeup()) socket_->refill();
  const SyncStatus shown = show();
  return done.is_ok() ? shown : done;
}

SyncStatus RxQueue::give_back(std::uint32_t head) noexcept {
  const std::uint32_t first = ring_.first();
  if (first == head) return {};
  std::uint32_t end = first;
  for (; end != head; end = ring_.next(end)) {
    const std::uint32_t buffer = detail::load(ring_.slot(end)).index;
    if (!frames_.has(buffer)) break;
    give(buffer);
  }
  fill_.publish();
  ring_.pass(end);
  if (end == head) return {};
  ring_.reset();
  return errc::ring_corrupt;
}

SyncStatus RxQueue::show() noexcept {
  const std::uint32_t before = ring_.tail();
  const std::uint32_t last = ring_.previous(ring_.first());
  std::uint32_t tail = before;
  bool is_sound = true;
  rx_.take([&](const os::XdpDescriptor& packet) {
    const auto place = frames_.place(packet.address);
    is_sound = place && packet.length <= frames_.bytes - place->offset &&
               (place->offset & ~offsets_.mask) == 0 && tail != last;
    if (!is_sound) return false;
    bring(ring_, tail, ring_.first(), place->buffer);
    if (offsets_.mask != 0) offsets_.store_to(ring_.slot(tail), place->offset);
    const bool has_more = (packet.options & os::xdp::more_fragments) != 0;
    detail::store(ring_.slot(tail),
                  {place->buffer, static_cast<std::uint16_t>(packet.length),
                   has_more ? abi::slot_flags::more_fragments : std::uint16_t{0}});
    tail = ring_.next(tail);
    return true;
  });
  ring_.set_tail(tail);
  if ((detail::load(ring_.raw().flags) & abi::ring_flags::timestamp) != 0) stamp_time(ring_.raw());
  if (!is_sound) return errc::ring_corrupt;
  return tail == before ? look_for_error() : SyncStatus();
}

/// Now and then, since it takes a system call. That the interface was deleted is said only once.
SyncStatus RxQueue::look_for_error() noexcept {
  constexpr std::uint32_t rarely = 256;
  if (empty_syncs_++ % rarely == 0 && ended_.is_ok() &&
      socket_->error() == std::errc::network_down) {
    ended_ = errc::interface_gone;
  }
  return ended_;
}

}  // namespace netmap::xdp
