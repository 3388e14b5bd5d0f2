// SPDX-License-Identifier: BSD-2-Clause
#include "receiver.hpp"

#include "ports.hpp"
#include "pump.hpp"

namespace nmx {

using netmap::Packet;
using netmap::Result;
using netmap::RxRing;

Receiver::Receiver(netmap::Port& port, const ReceiverOptions& options)
    : port_(&port), options_(options) {
  readings_.reserve(options_.batch);
}

Result<> Receiver::run(Counters& counters) {
  auto done = pump(
      counters, [&] { return round(counters); }, [&](auto timeout) { return wait(timeout); },
      options_.spin);
  // The last packets are given back only now, and a sender may be waiting for that.
  if (done) done = port_->sync_rx();
  if (!done && is_end(done.error())) return {};
  return done;
}

/// One batch from each ring; yields the number of slots.
Result<std::uint64_t> Receiver::round(Counters& counters) {
  std::uint64_t slots = 0;
  for (RxRing& ring : port_->rx_rings()) {
    const std::size_t there = ring.slots().size();
    if (there != 0) counters.see_free_slots(ring.num_slots() - 1 - there);
    const std::uint64_t limit = options_.budget->claim(options_.batch);
    const Taken taken = options_.tally != nullptr ? check(ring, limit) : take(ring, limit);
    options_.budget->settle(limit, taken.packets);
    if (taken.packets != 0) counters.add(taken.packets, taken.bytes);
    slots += there - ring.slots().size();
    // A packet whose end has yet to come must not wake us again and again.
    if (!ring.packets().empty()) continue;
    if (auto seen = ring.seen(ring.slots().end()); !seen) return std::unexpected(seen.error());
  }
  return slots;
}

Result<bool> Receiver::wait(std::chrono::nanoseconds timeout) {
  if (options_.budget->is_spent()) return false;
  const auto waited = port_->wait(netmap::Direction::rx, timeout);
  if (!waited && !is_end(waited.error())) return std::unexpected(waited.error());
  return waited.has_value();
}

Receiver::Taken Receiver::take(RxRing& ring, std::uint64_t limit) {
  Taken taken;
  taken.packets = ring.for_each([&](const Packet& packet) { taken.bytes += packet.size(); }, limit);
  return taken;
}

Receiver::Taken Receiver::check(RxRing& ring, std::uint64_t limit) {
  Taken taken;
  const auto now = options_.latencies != nullptr ? Clock::now() : Clock::time_point();
  netmap::LookAhead ahead(ring.slots());
  readings_.clear();
  ring.for_each(
      [&](const Packet& packet) {
        ahead.step(packet.fragments().size());
        const Reading reading = read(packet);
        readings_.push_back(reading);
        if (reading.verdict == Verdict::foreign) return;
        ++taken.packets;
        taken.bytes += reader_.size();
      },
      limit);
  options_.tally->add(readings_);
  if (options_.latencies != nullptr) options_.latencies->arrive(readings_, now);
  return taken;
}

Reading Receiver::read(const Packet& packet) {
  reader_.begin();
  if (packet.is_linear()) {
    reader_.add(packet.front());
  } else {
    for (const netmap::RxSlot fragment : packet.fragments()) reader_.add(fragment.bytes());
  }
  return reader_.finish();
}

}  // namespace nmx
