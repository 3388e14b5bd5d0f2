// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/forward.hpp>

#include "point.hpp"

#include <netmap/writer.hpp>

#include <algorithm>

namespace netmap {
namespace {

// The two below are rare, and out of line so that the loop keeps its registers.

/// Nothing was moved: not now, or not ever.
[[gnu::noinline]] Result<Forwarded> forward_nothing(const RxRing& rx, const TxRing& tx) {
  if (!rx.is_sound() || !tx.is_sound()) return detail::refuse<Forwarded>(errc::ring_corrupt);
  const bool never_fits = tx.pending() == 0 && !rx.packets().empty();
  if (never_fits) return detail::refuse<Forwarded>(errc::packet_too_large);
  return Forwarded{.zero_copy = true};
}

/// Slots were exchanged up to `end` of tx, and the next one names no buffer. Hands over the whole
/// packets before it; the one it is in, or ends, gets its buffers back.
[[gnu::noinline]] Result<Forwarded> stop_at_broken_slot(RxRing& rx, TxRing& tx, Position end) {
  const auto waiting = rx.slots().begin();
  const auto room = tx.slots().begin();
  std::ptrdiff_t moved = 0;
  while (Position(room + moved) != end) ++moved;
  for (; moved != 0 && detail::has_more_fragments(room[moved - 1].flags()); --moved) {
    RxSlot full = waiting[moved - 1];
    TxSlot empty = room[moved - 1];
    (void)detail::exchange(full, empty);
  }
  (void)tx.commit(room + moved);
  (void)rx.release(waiting + moved);
  return detail::refuse<Forwarded>(errc::ring_corrupt);
}

Result<Forwarded> forward_swapping(RxRing& rx, TxRing& tx, std::size_t limit) {
  const auto room = tx.slots();
  const auto waiting = rx.packets(room.size()).slots();
  if (waiting.empty()) [[unlikely]]
    return forward_nothing(rx, tx);
  auto in = waiting.begin();
  auto out = room.begin();
  Forwarded done{.zero_copy = true};
  while (in != waiting.end() && done.packets < limit) {
    RxSlot full = *in;
    TxSlot empty = *out;
    if (!detail::exchange(full, empty)) [[unlikely]]
      return stop_at_broken_slot(rx, tx, out);
    NETMAP_POINT("forward: exchanged");
    done.packets += full.more_fragments() ? 0 : 1;
    done.bytes += full.length();
    ++in;
    ++out;
  }
  if (!tx.commit(out)) [[unlikely]]
    return detail::refuse<Forwarded>(errc::ring_corrupt);
  NETMAP_POINT("forward: committed");
  if (!rx.release(in)) [[unlikely]]
    return detail::refuse<Forwarded>(errc::ring_corrupt);
  NETMAP_POINT("forward: released");
  return done;
}

/// Copies packets of one slot into one slot each, up to the first that does not go so.
Result<Forwarded> copy_whole_slots(RxRing& rx, TxRing& tx, std::size_t limit) {
  const auto room = tx.slots();
  const auto waiting = rx.packets(std::min(limit, room.size())).slots();
  auto in = waiting.begin();
  auto out = room.begin();
  Forwarded done;
  for (; in != waiting.end(); ++in, ++out) {
    RxSlot full = *in;
    TxSlot empty = *out;
    if (full.more_fragments() || !detail::copy(full, empty)) break;
    ++done.packets;
    done.bytes += full.length();
  }
  if (done.packets == 0) return done;
  if (!tx.commit(out) || !rx.release(in)) return detail::refuse<Forwarded>(errc::ring_corrupt);
  return done;
}

/// Copies the next packet, in fragments of the other side's buffer size; none if there is no room.
Result<Forwarded> copy_in_fragments(RxRing& rx, TxRing& tx) {
  const auto waiting = rx.packets();
  if (waiting.empty()) return Forwarded();
  const Packet packet = *waiting.begin();
  const Forwarded one{.packets = 1, .bytes = packet.size()};
  auto into = tx.writer();
  Result<> done;
  for (const RxSlot fragment : packet.fragments()) {
    if (!fragment.is_sound()) return detail::refuse<Forwarded>(errc::ring_corrupt);
    if (done) done = into.append(fragment.bytes());
  }
  if (done) done = into.commit();
  if (!done && done.error() == errc::ring_full) return Forwarded();
  if (done) done = rx.release(packet.after());
  if (!done) return std::unexpected(done.error());
  return one;
}

[[gnu::noinline]] Result<Forwarded> forward_copying(RxRing& rx, TxRing& tx, std::size_t limit) {
  limit = std::min<std::size_t>(limit, rx.num_slots());  // whatever the other side adds meanwhile
  Forwarded done;
  while (done.packets != limit) {
    auto moved = copy_whole_slots(rx, tx, limit - done.packets);
    if (moved && moved->packets == 0) moved = copy_in_fragments(rx, tx);
    if (!moved) return moved;
    if (moved->packets == 0) break;
    done.packets += moved->packets;
    done.bytes += moved->bytes;
  }
  return done;
}

/// Rings of different data offsets can exchange buffers all the same while none is used.
[[gnu::noinline]] bool begin_at_first_bytes(const RxRing& rx, const TxRing& tx) {
  const auto begins = [](const auto& slot) { return slot.offset() == 0; };
  return std::ranges::all_of(rx.slots(), begins) && std::ranges::all_of(tx.slots(), begins);
}

}  // namespace

Result<Forwarded> forward(RxRing& rx, TxRing& tx, std::size_t limit) {
  const bool can_swap = rx.same_region(tx) && (rx.bounds().offsets == tx.bounds().offsets ||
                                               begin_at_first_bytes(rx, tx));
  if (!can_swap) [[unlikely]]
    return forward_copying(rx, tx, limit);
  rx.ledger_->has_swapped = true;
  tx.ledger_->has_swapped = true;
  return forward_swapping(rx, tx, limit);
}

}  // namespace netmap
