// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/tap.hpp"

#include "device/embedded/monitors.hpp"
#include "device/embedded/vale.hpp"
#include "point.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace netmap::embedded {

using detail::load;
using detail::store;

namespace {

std::uint16_t seen_flags(std::uint16_t flags, Direction direction) noexcept {
  const std::uint16_t sent = direction == Direction::tx ? abi::slot_flags::txmon : 0;
  return static_cast<std::uint16_t>((flags & ~abi::slot_flags::txmon) | sent);
}

/// As much of a packet as the cell's buffer has room for.
bool fill(const Mailbox& mailbox, Cell& cell, std::span<const std::byte> bytes,
          std::uint16_t flags) noexcept {
  const auto room = mailbox.room_in(cell);
  const std::size_t length = std::min(bytes.size(), room.size());
  if (length != 0) std::memcpy(room.data(), bytes.data(), length);
  store(cell.length, static_cast<std::uint16_t>(length));
  store(cell.flags, flags);
  NETMAP_POINT("watch: copied");
  return true;
}

/// What a slot shows; nothing if it names no buffer.
std::span<const std::byte> bytes_of(const abi::netmap_slot& slot, detail::SlotWord word,
                                    const detail::BufferArea& buffers,
                                    std::uint64_t offset_mask) noexcept {
  const auto buffer = buffers.buffer(word.index);
  const auto from =
      buffer.subspan(std::min<std::uint64_t>(load(slot.ptr) & offset_mask, buffer.size()));
  return from.first(std::min<std::size_t>(word.length, from.size()));
}

}  // namespace

Tap::Tap(std::shared_ptr<Memory> memory, const SwitchPort& monitor, std::uint32_t ring)
    : memory_(std::move(memory)),
      mailbox_(Mailbox::in(*memory_, mailbox_object(monitor, ring), shape_of(monitor).rx_slots)),
      words_(&memory_->words(rx_object(monitor, ring))) {}

/// show(cell, n) fills a cell with what is in slot `n`, or yields false.
template <class Show>
void Tap::put(std::uint32_t count, std::uint16_t owner, Ringer& ringer,
              Show&& show) const noexcept {
  std::array<std::uint16_t, max_slots> cells;
  const std::size_t wanted = std::min(count, max_slots);
  const std::size_t claimed = mailbox_.claim(owner, std::span(cells).first(wanted));
  const auto missed = static_cast<std::uint32_t>(count - claimed);
  if (missed != 0) mailbox_.words->dropped.fetch_add(missed, std::memory_order_relaxed);
  std::size_t used = 0;
  for (std::uint32_t i = 0; i != claimed; ++i) {
    const std::uint16_t cell = cells[i];
    if (show(mailbox_.cells[cell], missed + i)) {
      cells[used++] = cell;
    } else {
      mailbox_.give_back({&cell, 1});
    }
  }
  if (used == 0) return;
  mailbox_.put(std::span(cells).first(used));
  ringer.publish_barrier();
  if (words_->rx_sleepers.load(std::memory_order_relaxed) != 0) {
    ringer.wake(words_->rx_sleepers, Direction::rx);
  }
}

void Tap::copy(const SlotRange& slots, const Watched& from, Ringer& ringer) const noexcept {
  const auto buffers = all_buffers(*from.memory);
  put(slots.count, from.owner, ringer, [&](Cell& cell, std::uint32_t n) {
    const abi::netmap_slot& slot = slots[n];
    const detail::SlotWord word = load(slot);
    return fill(mailbox_, cell, bytes_of(slot, word, buffers, from.offset_mask),
                seen_flags(word.flags, from.direction));
  });
}

void Tap::copy(const Mailbox& mailbox, std::span<const std::uint16_t> cells, std::uint16_t owner,
               Ringer& ringer) const noexcept {
  put(static_cast<std::uint32_t>(cells.size()), owner, ringer, [&](Cell& cell, std::uint32_t n) {
    const Cell& seen = mailbox.cells[cells[n]];
    const auto room = mailbox.room_in(seen);
    return fill(mailbox_, cell, room.first(std::min<std::size_t>(load(seen.length), room.size())),
                seen_flags(load(seen.flags), Direction::rx));
  });
}

/// Neither buffer is ever named twice: of one who dies in between, one buffer is named nowhere, and
/// a recount finds it; a cell without one gets another, see refill_monitors(). The slot is empty
/// then, so that it shows nothing if the ring's next user hands it over once more.
void Tap::exchange(const SlotRange& slots, const Watched& from, Ringer& ringer) const noexcept {
  put(slots.count, from.owner, ringer, [&](Cell& cell, std::uint32_t n) {
    abi::netmap_slot& slot = slots[n];
    const detail::SlotWord seen = load(slot);
    const std::uint32_t other = load(cell.buffer);
    const bool has_both = mailbox_.buffers.has(seen.index) && mailbox_.buffers.has(other);
    if (seen.length == 0 || !has_both) return false;
    store(cell.buffer, 0);
    NETMAP_POINT("watch: cell emptied");
    const auto changed = static_cast<std::uint16_t>(seen.flags | abi::slot_flags::buf_changed);
    store(slot, {other, 0, changed});
    NETMAP_POINT("watch: slot exchanged");
    store(cell.length, seen.length);
    store(cell.flags, seen_flags(seen.flags, from.direction));
    store(cell.buffer, seen.index);
    if (from.memory->recount() != 0) {
      from.memory->mark(seen.index);
      from.memory->mark(other);
    }
    return true;
  });
}

namespace {

bool watches(const SwitchPort& monitor, const PortId& watched, Direction direction,
             std::uint32_t ring) noexcept {
  const bool sees = (direction == Direction::tx ? monitor.sees_tx : monitor.sees_rx) != 0;
  return sees && is_same_port(monitor.watched, watched) &&
         (monitor.rx_open.load(std::memory_order_acquire) >> ring & 1) != 0;
}

}  // namespace

std::vector<Tap> find_copiers(Domain& domain, const PortId& watched, Direction direction,
                              std::uint32_t ring) {
  std::vector<Tap> taps;
  if (ring >= max_monitor_rings) return taps;
  for_each_monitor(domain.state(), [&](const SwitchPort& monitor) {
    if (monitor.takes_buffers != 0 || !watches(monitor, watched, direction, ring)) return;
    auto memory = Memory::existing(domain, monitor.memory_id);
    if (memory) taps.emplace_back(std::move(*memory), monitor, ring);
  });
  return taps;
}

std::optional<Tap> find_taker(Domain& domain, const PortId& watched, Direction direction,
                              std::uint32_t ring, std::uint64_t turn) {
  const SwitchPort* next = nullptr;
  if (ring >= max_monitor_rings) return {};
  for_each_monitor(domain.state(), [&](const SwitchPort& monitor) {
    if (monitor.takes_buffers == 0 || !watches(monitor, watched, direction, ring)) return;
    if (monitor.turn > turn && (next == nullptr || monitor.turn < next->turn)) next = &monitor;
  });
  if (next == nullptr) return {};
  auto memory = Memory::existing(domain, next->memory_id);
  if (!memory) return {};
  return Tap(std::move(*memory), *next, ring);
}

}  // namespace netmap::embedded
