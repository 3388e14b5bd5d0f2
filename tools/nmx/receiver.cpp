// SPDX-License-Identifier: BSD-2-Clause
#include "receiver.hpp"

#include "ports.hpp"
#include "stop.hpp"

#include <algorithm>

namespace nmx {

using netmap::Packet;
using netmap::Result;
using netmap::RxRing;

Receiver::Receiver(netmap::Port& port, const ReceiverOptions& options)
    : port_(&port), options_(options) {
  readings_.reserve(options_.batch);
}

Result<> Receiver::run(Counters& counters) {
  auto done = receive(counters);
  if (counters.has_moved()) counters.set_last(idle_since_.value_or(Clock::now()));
  // The last packets are given back only now, and a sender may be waiting for that.
  if (done) done = port_->sync_rx();
  if (!done && is_end(done.error())) return {};
  return done;
}

/// Looks at the clock only when nothing comes.
Result<> Receiver::receive(Counters& counters) {
  while (!stop_requested() && !options_.budget->is_spent()) {
    const auto ready = port_->wait(netmap::Direction::rx, slice);
    if (!ready) return std::unexpected(ready.error());
    if (ready->empty()) {
      if (!idle_since_) idle_since_ = Clock::now() - slice;
      continue;
    }
    idle_since_.reset();
    if (!counters.has_moved()) {
      counters.set_first(Clock::now());
      counters.set_moved();
    }
    if (auto received = receive_round(counters); !received) return received;
  }
  return {};
}

/// One batch from each ring.
Result<> Receiver::receive_round(Counters& counters) {
  for (RxRing& ring : port_->rx_rings()) {
    counters.see_free_slots(ring.num_slots() - 1 - ring.slots().size());
    const std::uint64_t limit = options_.budget->claim(options_.batch);
    const Taken taken = options_.tally != nullptr ? check(ring, limit) : take(ring, limit);
    options_.budget->settle(limit, taken.packets);
    if (taken.packets != 0) counters.add(taken.packets, taken.bytes);
    // A packet whose end has yet to come must not wake us again and again.
    if (!ring.packets().empty()) continue;
    if (auto seen = ring.seen(ring.slots().end()); !seen) return seen;
  }
  return {};
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
