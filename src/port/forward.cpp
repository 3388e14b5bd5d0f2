// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/forward.hpp>

namespace netmap {
namespace {

/// Moves `packet` into the slots from `free` on and puts `free` behind it; false at a bad slot.
bool swap_in(const Packet& packet, TxSlots::iterator& free) {
  for (RxSlot received : packet.fragments()) {
    TxSlot slot = *free;
    if (!swap(received, slot)) return false;
    ++free;
  }
  return true;
}

Result<Forwarded> forward_swapping(RxRing& rx, TxRing& tx, std::size_t limit) {
  const auto packets = rx.packets();
  const auto room = tx.slots();
  auto packet = packets.begin();
  auto free = room.begin();
  Forwarded done{.zero_copy = true};
  bool sound = true;
  for (; packet != packets.end() && done.packets < limit; ++packet, ++done.packets) {
    const auto fragments = static_cast<std::ptrdiff_t>((*packet).fragments().size());
    if (fragments > room.end() - free) break;
    auto behind = free;
    const std::size_t size = (*packet).size();
    sound = swap_in(*packet, behind);
    if (!sound) break;
    free = behind;
    done.bytes += size;
  }
  if (auto sent = tx.commit(free); !sent) return std::unexpected(sent.error());
  if (auto released = rx.release(packet); !released) return std::unexpected(released.error());
  if (!sound) return std::unexpected(Error(errc::ring_corrupt));
  return done;
}

Result<> copy(const Packet& packet, PacketWriter into) {
  for (const RxSlot fragment : packet.fragments()) {
    if (auto copied = into.append(fragment.bytes()); !copied) return copied;
  }
  return into.commit();
}

Result<Forwarded> forward_copying(RxRing& rx, TxRing& tx, std::size_t limit) {
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
  return rx.same_region(tx) ? forward_swapping(rx, tx, limit) : forward_copying(rx, tx, limit);
}

}  // namespace netmap
