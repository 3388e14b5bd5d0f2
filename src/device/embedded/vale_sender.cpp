// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/vale_sender.hpp"

#include <netmap/look_ahead.hpp>

#include "device/embedded/counts.hpp"
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

/// Has each cell of a packet say how many there are, and all but the last that more follow.
void number_fragments(const Mailbox& to, std::span<const std::uint16_t> cells) noexcept {
  for (std::size_t i = 0; i != cells.size(); ++i) {
    const std::size_t more = i + 1 == cells.size() ? 0 : abi::slot_flags::more_fragments;
    store(to.cells[cells[i]].flags,
          static_cast<std::uint16_t>(cells.size() << abi::slot_flags::port_shift | more));
  }
}

void count_drop(const Mailbox& to) noexcept {
  to.words->dropped.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

ValeSender::ValeSender(const RingPlace& at, RingWords& words, Switch& vale, std::uint16_t port,
                       std::uint32_t number, std::uint16_t owner, std::uint64_t& last_source)
    : ring_(at),
      words_(&words),
      vale_(&vale),
      port_(port),
      number_(number),
      owner_(owner),
      last_source_(&last_source),
      ways_(max_switch_ports) {
  fragments_.reserve(ring_.size());
  used_.reserve(max_switch_ports);
}

bool ValeSender::has_news() const noexcept {
  return load(ring_.raw().head) != words_->published.load(std::memory_order_relaxed);
}

/// Others may have had their turn.
void ValeSender::catch_up() noexcept {
  const std::uint32_t sent = words_->published.load(std::memory_order_relaxed);
  ring_.resume(sent, ring_.previous(sent < ring_.size() ? sent : 0));
}

SlotRange ValeSender::handed_over() noexcept {
  catch_up();
  return ring_.handed_over();
}

SyncStatus ValeSender::sync(const ValePeers& peers, Ringer& ringer) noexcept {
  catch_up();
  const auto head = ring_.head();
  if (!head) return errc::ring_corrupt;
  header_bytes_ = peers.header_bytes();
  collect(*head);
  choose_ways();
  deliver_all(peers, ringer);
  pass(ring_, *head, *words_);
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

/// A slot that names no buffer, or whose packet does not fit a buffer, has no bytes.
ValeSender::Fragment ValeSender::fragment_of(const abi::netmap_slot& slot) const noexcept {
  const detail::SlotWord word = load(slot);
  const std::uint64_t ptr = load(slot.ptr);
  if ((word.flags & abi::slot_flags::indirect) != 0) {
    const auto* const bytes = reinterpret_cast<const std::byte*>(static_cast<std::uintptr_t>(ptr));
    const bool is_sound = bytes != nullptr && word.length <= ring_.buffer_size();
    return {bytes, is_sound ? word.length : std::uint16_t{0}, 1, none, false, true};
  }
  const auto buffer = ring_.buffer(word.index);
  const std::uint64_t offset = ptr & load(words_->offset_mask);
  if (offset > buffer.size() || word.length > buffer.size() - offset) {
    return {nullptr, 0, 1, none, false, false};
  }
  return {buffer.data() + offset, word.length, 1, none, offset % line == 0, false};
}

void ValeSender::choose_ways() noexcept {
  for (std::size_t packet = 0; packet < fragments_.size(); packet += fragments_[packet].count) {
    Head head;
    const std::uint16_t way = find_way(frame_of(packet, head));
    if (way == to_nobody || way == port_) continue;
    append(way == to_all ? all_ : ways_[way], static_cast<std::uint16_t>(packet));
    if (way != to_all && ways_[way].last == ways_[way].first) used_.push_back(way);
  }
}

/// The Ethernet frame of a packet, as much as its addresses need: behind the virtio-net header, in
/// the first fragment or with the second. Nothing if there is less of it there. An indirect one's
/// is copied to `head`.
std::span<const std::byte> ValeSender::frame_of(std::size_t packet, Head& head) const noexcept {
  const Fragment& first = fragments_[packet];
  const bool is_behind = header_bytes_ == first.length && first.count > 1;
  const Fragment& found = is_behind ? fragments_[packet + 1] : first;
  const std::size_t skipped = is_behind ? 0 : header_bytes_;
  if (found.length < skipped + shortest_frame) return {};
  if (!found.is_indirect) return {found.bytes + skipped, found.length - skipped};
  if (!os::read_memory(head, found.bytes + skipped)) return {};
  return head;
}

/// The port that a frame is for; learns where it comes from if that is not where the last one did,
/// as the module has it.
std::uint16_t ValeSender::find_way(std::span<const std::byte> frame) noexcept {
  if (frame.empty()) return to_nobody;
  const std::byte* const to = frame.data();
  const std::byte* const from = to + address_bytes;
  const std::uint64_t source = address_at(from);
  if (source != *last_source_ && !is_group(from)) {
    vale_->stations[hash(source)].store(source | (port_ + 1U), std::memory_order_relaxed);
    *last_source_ = source;
  }
  if (is_group(to)) return to_all;
  const std::uint64_t target = address_at(to);
  const std::uint64_t known = vale_->stations[hash(target)].load(std::memory_order_relaxed);
  if ((known & ~std::uint64_t{UINT16_MAX}) != target) return to_all;
  const std::uint64_t port = (known & UINT16_MAX) - 1;
  return port < max_switch_ports ? static_cast<std::uint16_t>(port) : to_all;
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

void ValeSender::deliver(const ValeOutlet& to, const Queue& one, const Queue& all,
                         Ringer& ringer) noexcept {
  Merged packets(fragments_, one, all);
  if (to.header_bytes == header_bytes_) [[likely]] {
    copy_packets(to, packets, ringer);
  } else {
    convert_packets(to, packets, ringer);
  }
  for (; packets.next() != none; packets.pass()) count_drop(to.mailbox);
  ringer.publish_barrier();
  if (to.words->rx_sleepers.load(std::memory_order_relaxed) != 0) {
    ringer.wake(to.words->rx_sleepers, Direction::rx);
  }
}

/// Claims a few cells at a time, or as many as a packet needs: of a process that is stopped here,
/// others miss no more than these. Ends when there are no more.
void ValeSender::copy_packets(const ValeOutlet& outlet, Merged& packets, Ringer& ringer) noexcept {
  const Mailbox& to = outlet.mailbox;
  std::array<std::uint16_t, most_fragments> cells;
  const std::uint32_t few = to.size / 4;
  bool is_full = false;
  while (packets.next() != none && !is_full) {
    const std::uint32_t least = std::max<std::uint32_t>(fragments_[packets.next()].count, few);
    const std::span wanted(cells.data(), std::min({packets.fragments(), least, most_fragments}));
    const std::span claimed = wanted.first(to.claim(owner_, wanted));
    is_full = claimed.size() != wanted.size();
    for (const std::uint16_t cell : claimed) {
      detail::fetch_to_write(to.room_in(to.cells[cell]).data());
    }
    std::size_t used = 0;
    for (; packets.next() != none; packets.pass()) {
      const std::size_t count = fragments_[packets.next()].count;
      if (count > claimed.size() - used) break;
      write(to, packets.next(), claimed.subspan(used, count));
      used += count;
    }
    if (used != 0) put(outlet, claimed.first(used), ringer);
    to.give_back(claimed.subspan(used));
    if (used != 0 || is_full) continue;
    count_drop(to);  // it has more fragments than anybody may claim
    packets.pass();
  }
}

/// False if an indirect one is not where its slot says.
bool ValeSender::read(const Fragment& fragment, std::span<std::byte> into) noexcept {
  if (fragment.is_indirect) return os::read_memory(into, fragment.bytes).has_value();
  copy(into, {fragment.bytes, into.size()}, fragment.may_round);
  return true;
}

void ValeSender::write(const Mailbox& to, std::uint16_t packet,
                       std::span<const std::uint16_t> cells) const noexcept {
  for (std::size_t i = 0; i != cells.size(); ++i) {
    const Fragment& fragment = fragments_[packet + i];
    Cell& cell = to.cells[cells[i]];
    const std::span<std::byte> room = to.room_in(cell);
    std::uint16_t length = fragment.length <= room.size() ? fragment.length : 0;
    if (!read(fragment, room.first(length))) length = 0;
    store(cell.length, length);
  }
  number_fragments(to, cells);
  NETMAP_POINT("deliver: copied");
}

/// All bytes of a packet; none if some cannot be read.
Frame ValeSender::gather(std::uint16_t packet) const {
  Frame whole;
  for (std::size_t i = 0; i != fragments_[packet].count; ++i) {
    Fragment fragment = fragments_[packet + i];
    fragment.may_round = false;
    const std::size_t end = whole.size();
    whole.resize(end + fragment.length);
    if (!read(fragment, std::span(whole).subspan(end))) return {};
  }
  return whole;
}

void ValeSender::convert_packets(const ValeOutlet& to, Merged& packets, Ringer& ringer) noexcept {
  for (; packets.next() != none; packets.pass()) {
    const Frame whole = gather(packets.next());
    const auto frames = convert_header(whole, header_bytes_, to.header_bytes);
    if (frames.empty() || !put(to, frames, ringer)) count_drop(to.mailbox);
  }
}

/// All of what a packet has become, or nothing.
bool ValeSender::put(const ValeOutlet& outlet, std::span<const Frame> frames,
                     Ringer& ringer) const noexcept {
  const Mailbox& to = outlet.mailbox;
  std::array<std::uint16_t, most_fragments> cells;
  const std::span claimed = std::span(cells).first(to.claim(owner_, cells));
  std::size_t used = 0;
  bool is_whole = true;
  for (const Frame& frame : frames) {
    const std::size_t first = used;
    for (std::span<const std::byte> left = frame; !left.empty() && used != claimed.size(); ++used) {
      Cell& cell = to.cells[claimed[used]];
      const std::span<std::byte> room = to.room_in(cell);
      const std::size_t bytes = std::min(room.size(), left.size());
      copy(room, left.first(bytes), false);
      store(cell.length, static_cast<std::uint16_t>(bytes));
      left = left.subspan(bytes);
      is_whole = left.empty();
    }
    is_whole &= used != first;
    if (!is_whole) break;
    number_fragments(to, claimed.subspan(first, used - first));
  }
  if (is_whole) put(outlet, claimed.first(used), ringer);
  to.give_back(claimed.subspan(is_whole ? used : 0));
  return is_whole;
}

/// Monitors see it before its receiver, who may change it.
void ValeSender::put(const ValeOutlet& to, std::span<const std::uint16_t> cells,
                     Ringer& ringer) const noexcept {
  for (const Tap& tap : to.monitors) tap.copy(to.mailbox, cells, owner_, ringer);
  to.mailbox.put(cells);
}

}  // namespace netmap::embedded
