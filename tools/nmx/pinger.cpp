// SPDX-License-Identifier: BSD-2-Clause
#include "pinger.hpp"

#include "packets.hpp"
#include "stop.hpp"

#include <algorithm>

namespace nmx {

using netmap::Direction;
using netmap::Directions;
using netmap::Packet;
using netmap::Result;
using netmap::RxRing;
using namespace std::chrono_literals;

namespace {

std::uint64_t nanoseconds(Clock::duration time) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
}

}  // namespace

Pinger::Pinger(netmap::Port& port, const PingOptions& options, PingWriter writer, PingLog& log)
    : port_(&port),
      options_(options),
      writer_(std::move(writer)),
      log_(&log),
      flights_(options.timeout),
      slots_(slots_for(static_cast<std::uint32_t>(writer_.make(0).size()), 1,
                       port.tx_rings().front().buffer_size())) {}

Result<> Pinger::run(Counters& counters) {
  due_ = Clock::now();
  counters.set_first(due_);
  while (has_more() || flights_.unanswered() != 0) {
    if (auto sent = send_what_is_due(); !sent) return sent;
    if (auto waited = wait(); !waited) return waited;
    if (auto received = receive(counters); !received) return received;
  }
  counters.set_last(Clock::now());
  return port_->sync_rx();  // gives back the last answers' slots
}

bool Pinger::has_more() const {
  return !stop_requested() && flights_.next_number() != options_.count;
}

bool Pinger::may_send() const {
  return has_more() && flights_.unanswered() < options_.outstanding;
}

bool Pinger::has_room() const {
  return port_->tx_rings().front().slots().size() >= slots_;
}

Result<> Pinger::send_what_is_due() {
  const std::uint64_t before = flights_.next_number();
  for (auto now = Clock::now(); may_send() && now >= due_; now = Clock::now()) {
    if (has_room()) {
      if (auto sent = send_one(now - due_); !sent) return sent;
    } else if (now - due_ >= options_.timeout) {
      give_up_one(now);
    } else {
      break;
    }
    due_ += options_.every;
  }
  return flights_.next_number() == before ? Result<>() : port_->sync_tx();
}

Result<> Pinger::send_one(Clock::duration lateness) {
  auto packet = port_->tx_rings().front().writer();
  if (auto put = packet.append(writer_.make(flights_.next_number())); !put) return put;
  flights_.launch(Clock::now());
  log_->update([&](PingStats& stats) {
    ++stats.sent;
    if (options_.every > 0ns) stats.lateness.add(nanoseconds(lateness));
  });
  return packet.commit(netmap::abi::slot_flags::report);
}

void Pinger::give_up_one(Clock::time_point now) {
  flights_.launch(now);
  log_->update([](PingStats& stats) {
    ++stats.sent;
    ++stats.without_room;
  });
}

/// For an answer, or until something is due; for room if that is what is missing.
Result<> Pinger::wait() {
  const auto now = Clock::now();
  auto until = std::min(now + slice, flights_.next_expiry());
  Directions wanted = Direction::rx;
  if (may_send() && has_room()) {
    until = std::min(until, due_);
  } else if (may_send()) {
    if (auto asked = port_->tx_rings().front().want(slots_); !asked) return asked;
    wanted |= Direction::tx;
  }
  const auto waited = port_->wait(wanted, std::max(Clock::duration::zero(), until - now));
  if (!waited) return std::unexpected(waited.error());
  return {};
}

/// All answers count from one look at the clock, the first after they were seen.
Result<> Pinger::receive(Counters& counters) {
  const auto now = Clock::now();
  const std::uint64_t before = flights_.unanswered();
  log_->update([&](PingStats& stats) { receive_all(now, counters, stats); });
  if (options_.every == 0ns && flights_.unanswered() != before) due_ = now;
  for (RxRing& ring : port_->rx_rings()) {
    // A packet whose end has yet to come must not wake us again and again.
    if (ring.slots().empty()) continue;
    if (auto seen = ring.seen(ring.slots().end()); !seen) return seen;
  }
  return {};
}

void Pinger::receive_all(Clock::time_point now, Counters& counters, PingStats& stats) {
  stats.lost += flights_.expire(now);
  for (RxRing& ring : port_->rx_rings()) {
    ring.for_each([&](const Packet& packet) {
      const auto number = number_of_ping(packet.front(), options_.run);
      if (!number) return;
      counters.set_moved();
      counters.add(1, packet.size());
      land(*number, now, stats);
    });
  }
}

void Pinger::land(std::uint64_t number, Clock::time_point now, PingStats& stats) {
  const auto [as, round_trip] = flights_.land(number, now);
  if (as == Landing::answer) stats.round_trips.add(nanoseconds(round_trip));
  stats.duplicates += as == Landing::duplicate;
  stats.late += as == Landing::late;
}

}  // namespace nmx
