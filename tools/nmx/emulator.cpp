// SPDX-License-Identifier: BSD-2-Clause
#include "emulator.hpp"

#include "packets.hpp"
#include "ports.hpp"
#include "stop.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <sys/prctl.h>

namespace nmx {

using netmap::Direction;
using netmap::Error;
using netmap::Packet;
using netmap::Port;
using netmap::Result;
using netmap::RxRing;
using netmap::TxRing;
using namespace std::chrono_literals;

namespace {

/// Has the kernel end this thread's sleeps on time; by default they may last 50 µs longer
/// (PR_SET_TIMERSLACK(2const)).
void sleep_precisely() {
  (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

std::uint64_t nanoseconds(Clock::duration time) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
}

void count(Fate fate, std::size_t bytes, LineStats& stats) {
  ++stats.in;
  stats.in_bytes += bytes;
  stats.lost += fate == Fate::is_lost;
  stats.queue_dropped += fate == Fate::queue_is_full;
  stats.memory_dropped += fate == Fate::memory_is_full;
  stats.held_back += fate == Fate::is_held_back;
}

Error cannot_pass(const Port& from, const Port& to, const Error& why) {
  return {why.code(), fmt::format("cannot pass packets from '{}' to '{}': {}", from.info().name,
                                  to.info().name, why.message())};
}

}  // namespace

Emulator::Emulator(Port& a, Port& b, const EmulatorOptions& options, LinkLog& log)
    : ports_{&a, &b},
      options_(options),
      log_(&log),
      lines_{Line(options.link.there, options.seed), Line(options.link.back, ~options.seed)} {}

Result<> Emulator::run(Counters& counters) {
  sleep_precisely();
  auto last_moved = Clock::now();
  while (!stop_requested() && has_more()) {
    const auto began = Clock::now();
    const auto moved = round(counters);
    if (!moved) return std::unexpected(moved.error());
    const auto now = Clock::now();
    if (*moved) {
      if (!counters.has_moved()) counters.set_first(began);
      counters.set_moved();
      counters.set_last(now);
      last_moved = now;
    }
    // A batch may have left some of what is there.
    if (*moved || now - last_moved < options_.spin) continue;
    if (auto waited = wait(now); !waited) return waited;
  }
  return drain();
}

bool Emulator::has_more() const {
  return has_a_way() || lines_[0].held() + lines_[1].held() != 0;
}

/// Whether anything came or left.
Result<bool> Emulator::round(Counters& counters) {
  std::uint64_t moved = 0;
  for (const Way way : {0U, 1U}) {
    const auto received = receive(way);
    if (!received) return std::unexpected(received.error());
    moved += *received;
  }
  for (const Way way : {0U, 1U}) {
    const auto released = release(way, counters);
    if (!released) return std::unexpected(released.error());
    moved += *released;
  }
  return moved != 0;
}

Result<std::uint64_t> Emulator::receive(Way way) {
  if (!is_open(way)) return 0;
  Port& from = *ports_[way];
  const auto synced = from.sync_rx();
  has_ended_[way] = !synced && is_end(synced.error());
  if (!synced && !has_ended_[way]) return std::unexpected(synced.error());
  std::uint64_t received = 0;
  for (RxRing& ring : from.rx_rings()) {
    if (ring.packets().empty()) continue;
    Result<std::uint64_t> one = 0;
    log_->update([&](LinkStats& stats) { one = receive(way, ring, stats[way]); });
    if (!one) return one;
    received += *one;
  }
  return received;
}

/// At most one batch.
Result<std::uint64_t> Emulator::receive(Way way, RxRing& ring, LineStats& stats) {
  const auto now = Clock::now();
  Line& line = lines_[way];
  const auto waiting = ring.packets();
  netmap::LookAhead ahead(waiting.slots());
  std::uint64_t received = 0;
  auto next = waiting.begin();
  for (; next != waiting.end() && received != options_.batch; ++next, ++received) {
    const Packet packet = *next;
    ahead.step();
    const auto fate = line.take(packet, now);
    if (!fate) {
      return std::unexpected(cannot_pass(*ports_[way], *ports_[1 - way], fate.error()));
    }
    count(*fate, packet.size(), stats);
    stats.queued_bytes = line.queued(now);
    stats.most_queued_bytes = std::max(stats.most_queued_bytes, stats.queued_bytes);
  }
  stats.held = line.held();
  if (auto released = ring.release(next); !released) return std::unexpected(released.error());
  return received;
}

Result<std::uint64_t> Emulator::release(Way way, Counters& counters) {
  if (lines_[way].due() > Clock::now()) return 0;
  Port& to = *ports_[1 - way];
  counters.see_free_slots(to.tx_rings().front().slots().size());
  Result<std::uint64_t> sent = 0;
  std::uint64_t bytes = 0;
  log_->update([&](LinkStats& stats) {
    const std::uint64_t before = stats[way].out_bytes;
    sent = send_what_is_due(way, stats[way]);
    bytes = stats[way].out_bytes - before;
  });
  if (!sent) return sent;
  if (*sent != 0) counters.add(*sent, bytes);
  // Without anything sent it is room that is missing, and a sync may make some.
  if (auto synced = to.sync_tx(); !synced) return std::unexpected(synced.error());
  return sent;
}

/// At most one batch, as far as there is room.
Result<std::uint64_t> Emulator::send_what_is_due(Way way, LineStats& stats) {
  Line& line = lines_[way];
  TxRing& tx = ports_[1 - way]->tx_rings().front();
  std::size_t room = tx.slots().size();
  std::uint64_t sent = 0;
  const auto now = Clock::now();
  for (auto due = line.due(); due <= now && sent != options_.batch; due = line.due(), ++sent) {
    const std::uint32_t slots = slots_of_next(way);
    if (slots > room) break;
    const auto packet = line.front();
    if (auto done = tx.send(packet); !done) {
      return std::unexpected(cannot_pass(*ports_[way], *ports_[1 - way], done.error()));
    }
    room -= slots;
    stats.out_bytes += packet.size();
    ++stats.out;
    stats.lateness.add(nanoseconds(now - due));
    line.pop();
  }
  stats.queued_bytes = line.queued(now);
  stats.held = line.held();
  return sent;
}

std::uint32_t Emulator::slots_of_next(Way way) {
  const TxRing& tx = ports_[1 - way]->tx_rings().front();
  return slots_for(static_cast<std::uint32_t>(lines_[way].front().size()), 1, tx.buffer_size());
}

/// Until something comes, or shortly before something is due.
Result<> Emulator::wait(Clock::time_point now) {
  BothWanted wanted;
  auto until = now + slice;
  for (const Way way : {0U, 1U}) {
    const auto may_sleep = ask(way, now, wanted, until);
    if (!may_sleep) return std::unexpected(may_sleep.error());
    if (!*may_sleep) return {};
  }
  const std::array both{netmap::Wanted{ports_[0], wanted[0]}, netmap::Wanted{ports_[1], wanted[1]}};
  const auto waited = netmap::wait_any(both, until - now);
  if (!waited && !is_end(waited.error())) return std::unexpected(waited.error());
  return {};
}

/// What this way waits for. Yields false if it does not wait.
Result<bool> Emulator::ask(Way way, Clock::time_point now, BothWanted& wanted,
                           Clock::time_point& until) {
  if (is_open(way)) {
    for (RxRing& ring : ports_[way]->rx_rings()) {
      if (!ring.packets().empty()) return false;
      // A packet whose end has yet to come must not wake us again and again.
      if (auto seen = ring.seen(ring.slots().end()); !seen) return std::unexpected(seen.error());
    }
    wanted[way] |= Direction::rx;
  }
  const auto due = lines_[way].due();
  if (due == Clock::time_point::max()) return true;
  if (due > now) {
    until = std::min(until, due - options_.spin);
    return until > now;
  }
  Port& to = *ports_[1 - way];
  TxRing& tx = to.tx_rings().front();
  const std::uint32_t slots = slots_of_next(way);
  if (tx.slots().size() >= slots) return false;
  if (!tx.want(slots)) {
    return std::unexpected(Error(
        netmap::errc::packet_too_large,
        fmt::format("a packet of {} bytes came from '{}', which takes {} slots, but the rings "
                    "of '{}' have {}",
                    lines_[way].front().size(), ports_[way]->info().name, slots, to.info().name,
                    tx.num_slots())));
  }
  wanted[1 - way] |= Direction::tx;
  return true;
}

/// A second for the ports to take what has left the lines.
Result<> Emulator::drain() {
  const auto end = Clock::now() + 1s;
  for (Port* port : ports_) {
    const auto left = port->drain(std::max(Clock::duration::zero(), end - Clock::now()));
    if (!left) return std::unexpected(left.error());
  }
  return {};
}

}  // namespace nmx
