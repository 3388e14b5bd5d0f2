// SPDX-License-Identifier: BSD-2-Clause
#include "generator.hpp"

#include "flush.hpp"
#include "slot_buffer.hpp"
#include "stop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace nmx {

using netmap::Result;
using netmap::TxRing;
using netmap::TxSlot;
using namespace std::chrono_literals;

Result<> check_fit(netmap::Port& port, const PacketOptions& packet) {
  for (const TxRing& ring : port.tx_rings()) {
    const std::uint32_t needed = slots_for(packet.longest, packet.fragments, ring.buffer_size());
    const std::uint32_t most =
        std::min<std::uint32_t>(netmap::PacketWriter::max_fragments, ring.num_slots() - 1);
    if (needed <= most) continue;
    return std::unexpected(netmap::Error(
        netmap::errc::packet_too_large,
        fmt::format("a packet of {} bytes in {} fragments is too large for '{}': its slots hold {} "
                    "bytes each, and a packet has at most {} of them; use a smaller --length or "
                    "--fragments, or a port with more slots",
                    packet.longest, needed, port.info().name, ring.buffer_size(), most)));
  }
  return {};
}

Generator::Generator(netmap::Port& port, const GeneratorOptions& options)
    : port_(&port),
      options_(options),
      source_(options.packet, options.flow, options.seed),
      written_(port.tx_rings().size()) {}

Result<> Generator::run(Counters& counters) {
  const auto start = Clock::now();
  counters.set_first(start);
  if (options_.limit.count() != 0) end_ = start + options_.limit;
  if (options_.rate > 0) limiter_.emplace(options_.rate, options_.batch, start);
  auto done = send(counters);
  if (done) done = flush(counters);
  counters.set_last(Clock::now());
  return done;
}

Result<> Generator::send(Counters& counters) {
  while (!must_stop() && sent_ != options_.count) {
    std::uint64_t limit = options_.count - sent_;
    if (limiter_) {
      const auto now = Clock::now();
      const std::uint64_t wanted = std::min<std::uint64_t>(limit, options_.batch);
      limit = limiter_->allow(wanted, now);
      if (limit == 0) {
        if (auto synced = port_->sync_tx(); !synced) return synced;
        std::this_thread::sleep_until(std::min(limiter_->due(wanted), now + slice));
        continue;
      }
    }
    if (auto waited = wait_for_room(limit); !waited) return waited;
    note_movement(counters);
    const auto moved = fill_rings(limit, counters);
    if (!moved) return std::unexpected(moved.error());
    // Nobody sees them before the next sync.
    if (options_.latencies != nullptr) {
      options_.latencies->depart(sent_, sent_ + *moved, Clock::now());
    }
    sent_ += *moved;
    if (limiter_) limiter_->sent(*moved);
  }
  return {};
}

/// One batch for each ring.
Result<std::uint64_t> Generator::fill_rings(std::uint64_t limit, Counters& counters) {
  std::uint64_t moved = 0;
  for (std::size_t ring = 0; ring < written_.size() && moved != limit; ++ring) {
    const auto filled =
        fill(ring, std::min<std::uint64_t>(options_.batch, limit - moved), counters);
    if (!filled) return filled;
    moved += *filled;
  }
  return moved;
}

Result<std::uint64_t> Generator::fill(std::size_t ring, std::uint64_t limit, Counters& counters) {
  TxRing& tx = port_->tx_rings()[ring];
  const auto free = tx.slots();
  counters.see_free_slots(free.size());
  const bool is_repeated = !source_.repeated().empty() && slots_for_next(tx) == 1;
  const auto filled = is_repeated ? repeat(tx, written_[ring], limit) : write(tx, limit);
  if (!filled) return std::unexpected(filled.error());
  if (filled->packets == 0) return 0;
  // Without NS_REPORT a network card may say late, or never, that it has sent the last ones.
  TxSlot last = filled->end[-1];
  if (auto set = last.set_length(filled->last_bytes, netmap::abi::slot_flags::report); !set) {
    return std::unexpected(set.error());
  }
  if (auto sent = tx.commit(filled->end); !sent) return std::unexpected(sent.error());
  written_[ring] += filled->packets;
  slots_ += static_cast<std::uint64_t>(filled->end - free.begin());
  counters.add(filled->packets, filled->bytes);
  return filled->packets;
}

/// The same packet in every slot. A buffer that holds it, because nobody has exchanged it since
/// (NS_BUF_CHANGED), is not touched, as with pkt-gen: a receiver that writes into it gets that
/// back.
Result<Generator::Filled> Generator::repeat(TxRing& tx, std::uint64_t written,
                                            std::uint64_t limit) {
  const auto free = tx.slots();
  const std::span<const std::byte> packet = source_.repeated();
  const std::uint64_t packets = std::min<std::uint64_t>(limit, free.size());
  const std::uint64_t is_new = tx.num_slots() - std::min<std::uint64_t>(written, tx.num_slots());
  auto slot = free.begin();
  for (std::uint64_t i = 0; i != packets; ++i, ++slot) {
    TxSlot to = *slot;
    const bool is_fresh = (to.flags() & netmap::abi::slot_flags::buf_changed) != 0;
    const auto set = is_fresh || i < is_new ? to.write(packet) : to.set_length(packet.size());
    if (!set) [[unlikely]]
      return std::unexpected(set.error());
  }
  const auto size = static_cast<std::uint32_t>(packet.size());
  return Filled{slot, packets, packets * size, size};
}

Result<Generator::Filled> Generator::write(TxRing& tx, std::uint64_t limit) {
  const auto free = tx.slots();
  netmap::LookAhead ahead(free);
  std::size_t room = free.size();
  Filled filled{free.begin(), 0, 0, 0};
  for (; filled.packets != limit; ++filled.packets) {
    const std::uint32_t size = source_.next_size();
    const std::uint32_t slots = slots_for_next(tx);
    if (slots > room) break;
    if (auto done = write_packet(filled.end, size, slots); !done) {
      return std::unexpected(done.error());
    }
    ahead.step(slots);
    room -= slots;
    filled.bytes += size;
    filled.last_bytes = size / slots;
  }
  return filled;
}

/// Spreads one packet over so many slots.
Result<> Generator::write_packet(netmap::TxSlots::iterator& slot, std::uint32_t size,
                                 std::uint32_t slots) {
  source_.begin();
  for (std::uint32_t i = 0; i < slots; ++i, ++slot) {
    TxSlot to = *slot;
    const std::uint32_t bytes = size / slots + (i < size % slots ? 1 : 0);
    const auto flags = i + 1 < slots ? netmap::abi::slot_flags::more_fragments : std::uint16_t{0};
    if (auto set = to.set_length(bytes, flags); !set) return set;
    const auto into = to_be_sent(to, bytes);
    if (!into) return std::unexpected(into.error());
    source_.put(*into);
  }
  return {};
}

/// Syncs, and waits for room for a packet. Once a ring is full, for room for a batch, or for half a
/// ring if that is less: whoever takes a slot at a time would otherwise make us send a slot at a
/// time.
Result<> Generator::wait_for_room(std::uint64_t limit) {
  for (TxRing& ring : port_->tx_rings()) {
    const std::uint32_t each = slots_for_next(ring);
    const auto batch = std::min<std::uint64_t>(limit, options_.batch) * each;
    const auto half =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(batch, (ring.num_slots() - 1) / 2));
    const bool is_full = ring.slots().size() < each;
    if (auto wanted = ring.want(is_full ? std::max(each, half) : each); !wanted) return wanted;
  }
  const auto waited = port_->wait(netmap::Direction::tx, slice);
  if (!waited) return std::unexpected(waited.error());
  return {};
}

Result<> Generator::flush(Counters& counters) {
  const auto left =
      nmx::flush(*port_, [this] { return must_stop(); }, [&] { note_movement(counters); });
  if (!left) return std::unexpected(left.error());
  left_ = *left;
  return {};
}

/// Looks at the clock only if there is a limit.
bool Generator::must_stop() const {
  return stop_requested() || (end_ != Clock::time_point::max() && Clock::now() >= end_);
}

void Generator::note_movement(Counters& counters) {
  if (counters.has_moved()) return;
  std::uint64_t pending = 0;
  for (const TxRing& ring : port_->tx_rings()) pending += ring.pending();
  if (slots_ > pending) counters.set_moved();
}

std::uint32_t Generator::slots_for_next(const netmap::Ring& ring) const {
  return slots_for(source_.next_size(), options_.packet.fragments, ring.buffer_size());
}

}  // namespace nmx
