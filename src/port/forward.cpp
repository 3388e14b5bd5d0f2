// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/forward.hpp>

namespace netmap {
namespace {

/// Whether the slot before `at` leaves its packet unfinished.
bool is_inside_packet(TxSlots::iterator at) noexcept {
  return detail::has_more_fragments((*--at).flags());
}

[[gnu::flatten]] Result<Forwarded> forward_swapping(RxRing& rx, TxRing& tx, std::size_t limit) {
  const auto room = tx.slots();
  const auto waiting = rx.packets(room.size()).slots();
  if (waiting.empty() || limit == 0) [[unlikely]]
    return Forwarded{.zero_copy = true};
  auto in = waiting.begin();
  auto out = room.begin();
  Forwarded done{.zero_copy = true};
  while (in != waiting.end() && done.packets < limit) {
    RxSlot full = *in;
    TxSlot empty = *out;
    if (!detail::exchange(full, empty)) [[unlikely]]
      break;
    done.packets += full.more_fragments() ? 0 : 1;
    done.bytes += full.length();
    ++in;
    ++out;
  }
  const bool is_sound = in == waiting.end() || done.packets == limit;
  while (out != room.begin() && is_inside_packet(out)) [[unlikely]] {
    RxSlot full = *--in;
    TxSlot empty = *--out;
    (void)detail::exchange(full, empty);  // the packet is not moved, so it gets its buffers back
  }
  if (!tx.commit(out) || !rx.release(in) || !is_sound) [[unlikely]]
    return detail::refuse<Forwarded>(errc::ring_corrupt);
  return done;
}

Result<> copy(const Packet& packet, PacketWriter into) {
  for (const RxSlot fragment : packet.fragments()) {
    if (!fragment.is_sound()) return std::unexpected(Error(errc::ring_corrupt));
    if (auto copied = into.append(fragment.bytes()); !copied) return copied;
  }
  return into.commit();
}

[[gnu::noinline]] Result<Forwarded> forward_copying(RxRing& rx, TxRing& tx, std::size_t limit) {
  Forwarded done;
  for (const Packet packet : rx.packets()) {
    if (done.packets == limit) break;
    const std::size_t size = packet.size();
    auto copied = copy(packet, tx.writer());
    if (!copied && copied.error() == errc::ring_full) break;
    if (copied) copied = rx.release(packet.after());
    if (!copied) return std::unexpected(copied.error());
    ++done.packets;
    done.bytes += size;
  }
  return done;
}

}  // namespace

Result<Forwarded> forward(RxRing& rx, TxRing& tx, std::size_t limit) {
  if (!rx.same_region(tx)) [[unlikely]]
    return forward_copying(rx, tx, limit);
  rx.ledger_->has_swapped = true;
  tx.ledger_->has_swapped = true;
  auto done = forward_swapping(rx, tx, limit);
  if (!done || done->packets != 0) return done;
  if (!rx.is_sound(rx.look()) || !tx.is_sound(tx.look())) {
    return detail::refuse<Forwarded>(errc::ring_corrupt);
  }
  const bool never_fits = tx.pending() == 0 && limit != 0 && !rx.packets().empty();
  if (never_fits) return detail::refuse<Forwarded>(errc::packet_too_large);
  return done;
}

}  // namespace netmap
