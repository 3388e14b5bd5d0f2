// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/vale_sender.hpp"

#include <netmap/look_ahead.hpp>

#include "os/files.hpp"
#include "point.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace netmap::embedded {
namespace {

using detail::load;
using detail::store;

constexpr std::size_t line = 64;
constexpr std::size_t address_bytes = 6;
constexpr std::size_t shortest_frame = 14;  // of Ethernet: two addresses and a type
constexpr std::uint32_t most_fragments = 64;
constexpr std::uint16_t to_all = max_switch_ports;
constexpr std::uint16_t to_nobody = max_switch_ports + 1;

/// The address in the upper 48 bits, first byte lowest.
std::uint64_t address_at(const std::byte* bytes) noexcept {
  std::uint64_t address = 0;
  std::memcpy(&address, bytes, address_bytes);
  return address << 16;
}
bool is_group(const std::byte* address) noexcept {
  return (address[0] & std::byte{1}) != std::byte{0};
}
/// Multiplies by a number of the golden ratio's: its upper bits depend on all of the address.
std::size_t hash(std::uint64_t address) noexcept {
  static_assert(max_stations == 1024);
  return (address >> 16) * 0x9e37'79b9'7f4a'7c15 >> 54;
}

/// Short packets in whole cache lines, where both sides have them: it costs less than to find out
/// how many bytes are left.
void copy(std::span<std::byte> to, std::span<const std::byte> from, bool may_round) noexcept {
  constexpr std::size_t is_short = 1024;
  const auto misplaced = reinterpret_cast<std::uintptr_t>(to.data()) % line;
  if (!may_round || misplaced != 0 || from.size() > is_short) {
    if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
    return;
  }
  for (std::size_t at = 0; at < from.size(); at += line) {
    std::memcpy(to.data() + at, from.data() + at, line);
  }
}

}  // namespace

ValeSender::ValeSender(const RingPlace& at, RingWords& words, Switch& vale, std::uint16_t port,
                       std::uint32_t number, std::uint16_t owner)
    : ring_(at),
      words_(&words),
      vale_(&vale),
      port_(port),
      number_(number),
      owner_(owner),
      ways_(max_switch_ports) {
  fragments_.reserve(ring_.size());
  used_.reserve(max_switch_ports);
}

bool ValeSender::has_news() noexcept {
  const std::uint32_t sent = words_->published.load(std::memory_order_relaxed);
  ring_.resume(sent, ring_.previous(sent < ring_.size() ? sent : 0));
  return load(ring_.raw().head) != ring_.first();
}

SyncStatus ValeSender::sync(const ValePeers& peers, Ringer& ringer) noexcept {
  const auto head = ring_.head();
  if (!head) return errc::ring_corrupt;
  collect(*head);
  choose_ways();
  deliver_all(peers, ringer);
  ring_.pass(*head);
  words_->published.store(*head, std::memory_order_relaxed);
  ring_.set_tail(ring_.previous(*head));
  return {};
}

/// What follows the last whole packet goes as if it were one, as the module has it.
void ValeSender::collect(std::uint32_t head) noexcept {
  fragments_.clear();
  std::size_t first = 0;
  for (std::uint32_t at = ring_.first(); at != head; at = ring_.next(at)) {
    abi::netmap_slot& slot = ring_.slot(at);
    const std::uint16_t flags = load(slot).flags;
    fragments_.push_back(fragment_of(slot));
    if ((flags & abi::slot_flags::buf_changed) != 0) {
      store(slot.flags, static_cast<std::uint16_t>(flags & ~abi::slot_flags::buf_changed));
    }
    if (detail::has_more_fragments(flags) && ring_.next(at) != head) continue;
    fragments_[first].count = static_cast<std::uint16_t>(fragments_.size() - first);
    first = fragments_.size();
  }
}

/// A slot that names no buffer, or whose packet does not fit its buffer, has no bytes.
ValeSender::Fragment ValeSender::fragment_of(const abi::netmap_slot& slot) const noexcept {
  const detail::SlotWord word = load(slot);
  const std::uint64_t ptr = load(slot.ptr);
  if ((word.flags & abi::slot_flags::indirect) != 0) {
    const auto* const bytes = reinterpret_cast<const std::byte*>(static_cast<std::uintptr_t>(ptr));
    return {bytes, word.length, 1, none, false, true};
  }
  const auto buffer = ring_.buffer(word.index);
  const std::uint64_t offset = ptr & load(words_->offset_mask);
  if (offset > buffer.size() || word.length > buffer.size() - offset)
    return {nullptr, 0, 1, none, false, false};
  return {buffer.data() + offset, word.length, 1, none, offset % line == 0, false};
}

void ValeSender::choose_ways() noexcept {
  for (std::size_t packet = 0; packet < fragments_.size(); packet += fragments_[packet].count) {
    const std::uint16_t way = find_way(fragments_[packet]);
    if (way == to_nobody || way == port_) continue;
    append(way == to_all ? all_ : ways_[way], static_cast<std::uint16_t>(packet));
    if (way != to_all && ways_[way].last == ways_[way].first) used_.push_back(way);
  }
}

/// The port that a packet is for; learns where it comes from.
std::uint16_t ValeSender::find_way(const Fragment& packet) noexcept {
  if (packet.length < shortest_frame) return to_nobody;
  std::array<std::byte, shortest_frame> head;
  if (packet.is_indirect && !os::read_memory(head, packet.bytes)) return to_nobody;
  const std::byte* const to = packet.is_indirect ? head.data() : packet.bytes;
  const std::byte* const from = to + address_bytes;
  if (!is_group(from)) {
    const std::uint64_t source = address_at(from);
    auto& station = vale_->stations[hash(source)];
    const std::uint64_t known = source | (port_ + 1U);
    if (station.load(std::memory_order_relaxed) != known) {
      station.store(known, std::memory_order_relaxed);
    }
  }
  if (is_group(to)) return to_all;
  const std::uint64_t target = address_at(to);
  const std::uint64_t known = vale_->stations[hash(target)].load(std::memory_order_relaxed);
  const std::uint64_t port = (known & UINT16_MAX) - 1;
  return (known & ~std::uint64_t{UINT16_MAX}) == target && port < max_switch_ports
             ? static_cast<std::uint16_t>(port)
             : to_all;
}

void ValeSender::append(Queue& queue, std::uint16_t packet) noexcept {
  if (queue.first == none) {
    queue.first = packet;
  } else {
    fragments_[queue.last].next = packet;
  }
  queue.last = packet;
  queue.fragments += fragments_[packet].count;
}

void ValeSender::deliver_all(const ValePeers& peers, Ringer& ringer) noexcept {
  const Queue nothing;
  if (all_.first == none) {
    for (const std::uint16_t port : used_) {
      const auto* const outlet = peers.outlet(port, number_);
      if (outlet != nullptr) deliver(*outlet, ways_[port], nothing, ringer);
    }
  } else {
    for (const std::uint16_t port : peers.ports()) {
      const auto* const own = peers.outlet(port, number_);
      const auto* const first = peers.outlet(port, 0);
      if (own != nullptr) deliver(*own, ways_[port], own == first ? all_ : nothing, ringer);
      if (first != nullptr && first != own) deliver(*first, nothing, all_, ringer);
    }
  }
  for (const std::uint16_t port : used_) ways_[port] = {};
  used_.clear();
  all_ = {};
}

/// Claims a few cells at a time, or as many as a packet needs: of a process that is stopped here,
/// others miss no more than these.
void ValeSender::deliver(const ValeOutlet& to, const Queue& one, const Queue& all,
                         Ringer& ringer) noexcept {
  Merged packets(fragments_, one, all);
  std::array<std::uint16_t, most_fragments> cells;
  const auto drop = [&] {
    to.mailbox.words->dropped.fetch_add(1, std::memory_order_relaxed);
    packets.pass();
  };
  const std::uint32_t few = to.mailbox.size / 4;
  bool is_full = false;
  while (packets.next() != none && !is_full) {
    const std::uint32_t least = std::max<std::uint32_t>(fragments_[packets.next()].count, few);
    const std::span wanted(cells.data(), std::min({packets.fragments(), least, most_fragments}));
    const std::span claimed = wanted.first(to.mailbox.claim(owner_, wanted));
    is_full = claimed.size() != wanted.size();
    for (const std::uint16_t cell : claimed) {
      detail::fetch_to_write(to.mailbox.room_in(to.mailbox.cells[cell]).data());
    }
    std::size_t used = 0;
    for (; packets.next() != none; packets.pass()) {
      const std::size_t count = fragments_[packets.next()].count;
      if (count > claimed.size() - used) break;
      write(to.mailbox, packets.next(), claimed.subspan(used, count));
      used += count;
    }
    if (used != 0) to.mailbox.put(claimed.first(used));
    to.mailbox.give_back(claimed.subspan(used));
    if (used == 0 && !is_full) drop();  // it has more fragments than anybody may claim
  }
  while (packets.next() != none) drop();
  ringer.publish_barrier();
  if (to.words->rx_sleepers.load(std::memory_order_relaxed) != 0) {
    ringer.wake(to.words->rx_sleepers, Direction::rx);
  }
}

void ValeSender::write(const Mailbox& to, std::uint16_t packet,
                       std::span<const std::uint16_t> cells) const noexcept {
  for (std::size_t i = 0; i != cells.size(); ++i) {
    const Fragment& fragment = fragments_[packet + i];
    Cell& cell = to.cells[cells[i]];
    const std::span<std::byte> room = to.room_in(cell);
    std::uint16_t length = fragment.length;
    if (length > room.size()) length = 0;
    if (!fragment.is_indirect) {
      copy(room, {fragment.bytes, length}, fragment.may_round);
    } else if (!os::read_memory(room.first(length), fragment.bytes)) {
      length = 0;
    }
    store(cell.length, length);
    const std::size_t more = i + 1 == cells.size() ? 0 : abi::slot_flags::more_fragments;
    store(cell.flags,
          static_cast<std::uint16_t>(cells.size() << abi::slot_flags::port_shift | more));
  }
  NETMAP_POINT("deliver: copied");
}

}  // namespace netmap::embedded
