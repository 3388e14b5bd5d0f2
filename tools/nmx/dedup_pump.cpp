// SPDX-License-Identifier: BSD-2-Clause
#include "dedup_pump.hpp"

#include "ports.hpp"
#include "pump.hpp"
#include "way.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace nmx {

using netmap::Direction;
using netmap::Error;
using netmap::Packet;
using netmap::Result;
using netmap::RxRing;
using netmap::TxRing;
using namespace std::chrono_literals;

DedupPump::DedupPump(netmap::Port& in, netmap::Port& out, const DedupOptions& options)
    : in_(&in), out_(&out), window_(options.packets, options.age), batch_(options.batch) {}

bool DedupPump::is_zero_copy() const {
  return in_->rx_rings().front().same_region(out_->tx_rings().front());
}

Result<> DedupPump::run(Counters& counters) {
  auto done = pump(
      counters, [&] { return round(counters); }, [&](auto timeout) { return wait(timeout); },
      default_spin);
  if (!done) {
    (void)out_->sync_tx();  // what was moved before that
    return done;
  }
  const auto left = out_->drain(1s);
  if (!left) return std::unexpected(left.error());
  left_ = *left;
  return {};
}

Result<std::uint64_t> DedupPump::round(Counters& counters) {
  std::uint64_t packets = 0;
  const auto now = Clock::now();
  for (std::size_t i = 0; i != in_->rx_rings().size(); ++i) {
    const auto moved = move(i, now, counters);
    if (!moved) {
      return std::unexpected(
          Error(moved.error().code(),
                fmt::format("cannot forward from '{}' to '{}': {}", in_->info().name,
                            out_->info().name, moved.error().message())));
    }
    packets += *moved;
  }
  return packets;
}

/// Yields how many packets left the ring, duplicates included.
Result<std::uint64_t> DedupPump::move(std::size_t ring, Clock::time_point now, Counters& counters) {
  RxRing& rx = in_->rx_rings()[ring];
  TxRing& tx = target(*out_, ring);
  counters.see_free_slots(tx.slots().size());
  std::uint64_t forwarded = 0;
  std::uint64_t bytes = 0;
  std::uint64_t duplicates = 0;
  while (forwarded + duplicates != batch_) {
    const auto waiting = rx.packets();
    if (waiting.empty()) break;
    const Packet packet = *waiting.begin();
    if (is_duplicate(packet, now)) {
      if (auto released = rx.release(packet.after()); !released) {
        return std::unexpected(released.error());
      }
      ++duplicates;
      continue;
    }
    const auto moved = netmap::forward(rx, tx, 1);
    if (!moved) return std::unexpected(moved.error());
    if (moved->packets == 0) break;  // no room: it is looked at anew when there is
    window_.keep(now);
    ++forwarded;
    bytes += moved->bytes;
  }
  if (forwarded != 0) counters.add(forwarded, bytes);
  has_unsent_ |= forwarded != 0;
  duplicates_ += duplicates;
  return forwarded + duplicates;
}

bool DedupPump::is_duplicate(const Packet& packet, Clock::time_point now) {
  window_.begin();
  if (packet.is_linear()) {
    window_.add(packet.front());
  } else {
    for (const netmap::RxSlot fragment : packet.fragments()) window_.add(fragment.bytes());
  }
  return window_.is_duplicate(now);
}

Result<bool> DedupPump::wait(std::chrono::nanoseconds timeout) {
  if (has_ended_) return false;
  auto wants = ask(*in_, *out_);
  if (!wants) return std::unexpected(wants.error());
  if (std::exchange(has_unsent_, false)) wants->to |= Direction::tx;
  const std::array both{netmap::Wanted{in_, wants->from}, netmap::Wanted{out_, wants->to}};
  const auto waited = netmap::wait_any(both, timeout);
  if (waited) return true;
  if (!is_end(waited.error())) return waited;
  has_ended_ = true;
  return true;
}

}  // namespace nmx
