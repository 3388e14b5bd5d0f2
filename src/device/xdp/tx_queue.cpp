// SPDX-License-Identifier: BSD-2-Clause
#include "device/xdp/tx_queue.hpp"

namespace netmap::xdp {
namespace {

/// What is shorter than two addresses and a type is no packet.
constexpr std::uint32_t ethernet_header = 14;

/// Before Linux 6.17 a call sends a few tens of packets, and shows that in the ring only when all
/// are sent. Of a zero-copy socket the driver is told that there are some.
constexpr std::uint32_t copied_a_call = 32;

/// The kernel has done its share, or as many packets as it keeps for a socket are under way.
constexpr auto not_all = std::errc::resource_unavailable_try_again;

/// The next sync finds it otherwise: the kernel lacks memory, or the link is down.
bool is_passing(std::error_code why) {
  return why == std::errc::no_buffer_space || why == std::errc::device_or_resource_busy ||
         why == std::errc::network_down;
}

}  // namespace

TxQueue::TxQueue(const RingPlace& at, const Frames& frames, const os::XdpSocket& socket,
                 const os::XdpSocket::Bound& bound) noexcept
    : ring_(at),
      frames_(frames),
      socket_(&socket),
      tx_(socket.rings().tx),
      completion_(socket.rings().completion),
      offset_mask_(at.bounds.offsets.mask),
      most_fragments_(bound.has_fragments ? max_fragments : 1),
      least_a_call_(bound.is_zero_copy ? UINT32_MAX : copied_a_call) {}

SyncStatus TxQueue::sync() noexcept {
  const auto head = ring_.head();
  if (!head) return errc::ring_corrupt;
  SyncStatus done = hand_over(*head);
  for (const SyncStatus next : {kick(), take_back()}) {
    if (done.is_ok()) done = next;
  }
  return done;
}

SyncStatus TxQueue::hand_over(std::uint32_t head) noexcept {
  SyncStatus done;
  while (ring_.first() != head) {
    const Packet packet = next_packet(head);
    if (!packet.is_sound) {
      ring_.reset();
      done = errc::ring_corrupt;
      break;
    }
    if (!packet.is_whole) break;
    ring_.pass(packet.end);
    if (packet.count > most_fragments_) done = errc::packet_too_large;
    if (packet.count > most_fragments_ || packet.has_gaps || packet.bytes < ethernet_header) {
      drop(packet);
    } else {
      put(packet);
    }
  }
  tx_.publish();
  return done;
}

TxQueue::Packet TxQueue::next_packet(std::uint32_t head) const noexcept {
  Packet packet;
  packet.end = ring_.first();
  while (!packet.is_whole && packet.end != head) {
    const auto slot = detail::load(ring_.slot(packet.end));
    const std::uint64_t offset = detail::load(ring_.slot(packet.end).ptr) & offset_mask_;
    packet.is_sound =
        frames_.has(slot.index) && offset <= frames_.bytes && slot.length <= frames_.bytes - offset;
    if (!packet.is_sound) break;
    if (packet.count < max_fragments) {
      const auto options = slot.more_fragments() ? os::xdp::more_fragments : 0;
      packet.fragments[packet.count] = {frames_.address(slot.index) + offset, slot.length, options};
    }
    ++packet.count;
    packet.bytes += slot.length;
    packet.has_gaps |= slot.length == 0;
    packet.is_whole = !slot.more_fragments();
    packet.end = ring_.next(packet.end);
  }
  return packet;
}

void TxQueue::put(const Packet& packet) noexcept {
  for (std::uint32_t i = 0; i != packet.count; ++i) tx_.put(packet.fragments[i]);
}

/// Its buffers are back at once.
void TxQueue::drop(const Packet& packet) noexcept {
  std::uint32_t at = ring_.first();
  for (std::uint32_t i = 0; i != packet.count; ++i) at = ring_.previous(at);
  for (; at != ring_.first(); at = ring_.next(at))
    (void)take_back(detail::load(ring_.slot(at)).index);
}

SyncStatus TxQueue::kick() noexcept {
  if (!tx_.needs_wakeup()) return {};
  for (std::uint32_t calls = tx_.waiting() / least_a_call_ + 1; calls != 0 && tx_.waiting() != 0;
       --calls) {
    const auto sent = socket_->send();
    if (sent || sent.error() == not_all) continue;
    if (is_passing(sent.error())) break;
    const bool is_gone = sent.error() == std::errc::no_such_device_or_address;
    return is_gone ? SyncStatus(errc::interface_gone) : SyncStatus(sent.error());
  }
  return {};
}

SyncStatus TxQueue::take_back() noexcept {
  bool is_sound = true;
  completion_.take([&](std::uint64_t address) {
    const auto place = frames_.place(address);
    is_sound &= place && take_back(place->buffer);
    return true;
  });
  return is_sound ? SyncStatus() : SyncStatus(errc::ring_corrupt);
}

/// The oldest slot that is under way is free again, with this buffer.
bool TxQueue::take_back(std::uint32_t buffer) noexcept {
  const std::uint32_t oldest = ring_.next(ring_.tail());
  if (oldest == ring_.first()) return false;
  bring(ring_, oldest, ring_.first(), buffer);
  ring_.set_tail(oldest);
  return true;
}

}  // namespace netmap::xdp
