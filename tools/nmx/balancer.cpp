// SPDX-License-Identifier: BSD-2-Clause
#include "balancer.hpp"

#include "flow_hash.hpp"
#include "ports.hpp"
#include "pump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace nmx {

using netmap::Direction;
using netmap::Error;
using netmap::Result;
using netmap::RxRing;
using netmap::RxSlot;
using netmap::RxSlots;
using netmap::TxSlot;
using namespace std::chrono_literals;

namespace {

struct Extent {
  std::size_t slots = 0;
  std::size_t bytes = 0;
};

/// Of the packet that begins there, in slots of whole packets.
Extent extent(RxSlots::iterator slot, const RxSlots::iterator& end) {
  Extent all;
  for (bool more = true; more && slot != end; ++slot) {
    const RxSlot one = *slot;
    ++all.slots;
    all.bytes += one.length();
    more = one.more_fragments();
  }
  return all;
}

/// The beginning of a packet in one piece: in a packet of several slots the first may end within
/// the headers.
class Beginning {
 public:
  std::span<const std::byte> of(RxSlots::iterator slot, std::size_t slots) {
    std::size_t filled = 0;
    for (; slots != 0 && filled != bytes_.size(); --slots, ++slot) {
      const auto bytes = (*slot).bytes();
      const std::size_t part = std::min(bytes.size(), bytes_.size() - filled);
      std::copy_n(bytes.begin(), part, bytes_.begin() + static_cast<std::ptrdiff_t>(filled));
      filled += part;
    }
    return std::span(bytes_).first(filled);
  }

 private:
  std::array<std::byte, 256> bytes_;
};

}  // namespace

Balancer::Balancer(Balance& work, std::uint32_t batch, std::uint64_t count,
                   std::optional<std::chrono::nanoseconds> spin)
    : work_(work),
      batch_(batch),
      unreceived_(count == 0 ? UINT64_MAX : count),
      is_capture_(is_capture(work.input.info())),
      // A capture is there, or has ended: looking again brings nothing.
      spin_(is_capture_ ? 0ns : spin.value_or(default_spin)),
      overflow_(static_cast<std::uint32_t>(work.overflow.size()), work.outlets.size()) {}

Result<> Balancer::run(Counters& counters) {
  auto done = pump(
      counters, [&] { return round(counters); }, [&](auto timeout) { return wait(timeout); },
      spin_);
  if (!done) return done;
  if (!is_capture_) {  // gives back what was received last
    if (auto synced = work_.input.sync_rx(); !synced) return synced;
  }
  return drain();
}

Result<std::uint64_t> Balancer::round(Counters& counters) {
  if (auto prepared = prepare(); !prepared) return std::unexpected(prepared.error());
  std::uint64_t packets = 0;
  for (RxRing& ring : work_.input.rx_rings()) {
    const auto received = receive(ring, counters);
    if (!received) return received;
    packets += *received;
  }
  if (auto finished = finish(); !finished) return std::unexpected(finished.error());
  has_ended_ |= unreceived_ == 0;
  return packets;
}

/// Sees what has come back. The last group first, so that each finds room in the next.
Result<> Balancer::prepare() {
  awaited_.reset();
  for (std::size_t g = work_.groups.size(); g-- != 0;) {
    const Group& group = work_.groups[g];
    for (std::size_t n = group.first; n != group.first + group.count; ++n) {
      Outlet& outlet = work_.outlets[n];
      if (g + 1 != work_.groups.size()) {
        if (auto passed = pass_on(outlet, work_.groups[g + 1]); !passed) return passed;
      }
      outlet.look();
      if (auto emptied = empty_queue(n); !emptied) return emptied;
    }
  }
  return {};
}

Result<> Balancer::pass_on(Outlet& from, const Group& to) {
  return from.for_each_returned([&](netmap::TxSlots::iterator first, std::span<const Piece> pieces,
                                    bool is_here) -> Result<> {
    const std::uint32_t hash = pieces.front().hash;
    if (!is_here) {
      work_.outlets[choose(to, hash)].count_dropped();
      return {};
    }
    const auto each = [&](auto use) -> Result<> {
      for (const Piece& piece : pieces) {
        TxSlot slot = *first;
        if (auto used = use(slot, piece); !used) return used;
        ++first;
      }
      return {};
    };
    const auto placed = place(to, hash, pieces.size(), each);
    if (!placed) return std::unexpected(placed.error());
    return {};
  });
}

/// Sends what fits of a pipe's queue, in whole packets.
Result<> Balancer::empty_queue(std::size_t queue) {
  Outlet& to = work_.outlets[queue];
  while (!overflow_.empty(queue)) {
    std::uint32_t slots = overflow_.front_slots(queue);
    if (slots > to.room()) break;
    for (; slots != 0; --slots) {
      const Overflow::Cell cell = overflow_.front(queue);
      if (auto sent = to.take(work_.overflow[cell], overflow_.at(cell)); !sent) return sent;
      overflow_.pop(queue);
    }
    to.count_forwarded(1);
  }
  return {};
}

Result<std::uint64_t> Balancer::receive(RxRing& ring, Counters& counters) {
  const RxSlots waiting = ring.packets().slots();
  const std::uint64_t most = std::min<std::uint64_t>(batch_, unreceived_);
  netmap::LookAhead ahead(waiting);
  std::uint64_t moved = 0;
  std::uint64_t bytes = 0;
  std::uint64_t non_ip = 0;
  Beginning beginning;
  auto next = waiting.begin();
  while (next != waiting.end() && moved != most) {
    RxSlot front = *next;
    const auto [slots, size] =
        front.more_fragments() ? extent(next, waiting.end()) : Extent{1, front.length()};
    const Flow flow = flow_of(slots == 1 ? front.bytes() : beginning.of(next, slots));
    ahead.step(slots);
    const std::size_t n = choose(work_.groups.front(), flow.hash);
    Outlet& to = work_.outlets[n];
    if (slots == 1 && has_room(to, n, 1)) [[likely]] {
      const Piece piece{flow.hash, front.length(), false};
      const auto sent = is_capture_ ? to.copy(*next, piece) : to.take(front, piece);
      if (!sent) return cannot_forward(to, sent.error());
      to.count_forwarded(1);
    } else {
      const auto placed = place_received(next, slots, flow.hash);
      if (!placed) return std::unexpected(placed.error());
      if (!*placed) break;
    }
    for (std::size_t left = slots; left != 0; --left) ++next;
    ++moved;
    bytes += size;
    non_ip += flow.is_ip ? 0 : 1;
  }
  if (moved == 0) return 0;
  non_ip_ += non_ip;
  unreceived_ -= moved;
  counters.add(moved, bytes);
  if (auto released = ring.release(next); !released) return std::unexpected(released.error());
  return moved;
}

Result<bool> Balancer::place_received(RxSlots::iterator slot, std::size_t slots,
                                      std::uint32_t hash) {
  return place(work_.groups.front(), hash, slots, [&](auto use) -> Result<> {
    // Whoever shares the ring may change its flags: the count that room was made for holds.
    for (std::size_t left = slots; left != 0; --left, ++slot) {
      RxSlot one = *slot;
      if (auto used = use(one, Piece{hash, one.length(), left != 1}); !used) return used;
    }
    return {};
  });
}

template <class Each>
Result<bool> Balancer::place(const Group& group, std::uint32_t hash, std::size_t slots, Each each) {
  const std::size_t n = choose(group, hash);
  Outlet& to = work_.outlets[n];
  if (has_room(to, n, slots)) {
    to.count_forwarded(1);
    return outcome(to, each([&](auto& slot, const Piece& piece) { return send(to, slot, piece); }));
  }
  if (is_capture_ && &group == &work_.groups.front() && to.can_hold(slots)) {
    awaited_ = Awaited{n, slots};
    return false;
  }
  if (to.can_hold(slots) &&
      overflow_.make_room(static_cast<std::uint32_t>(slots),
                          [&](std::size_t loser) { work_.outlets[loser].count_dropped(); })) {
    return outcome(to, each([&](auto& slot, const Piece& piece) {
                     return slot.swap(work_.overflow[overflow_.push(n, piece)]);
                   }));
  }
  to.count_dropped();
  return true;
}

Result<bool> Balancer::outcome(const Outlet& to, const Result<>& done) const {
  if (done) return true;
  return cannot_forward(to, done.error());
}

std::unexpected<Error> Balancer::cannot_forward(const Outlet& to, const Error& why) const {
  return std::unexpected(
      Error(why.code(), fmt::format("cannot forward from '{}' to '{}': {}", work_.input.info().name,
                                    to.info().name, why.message())));
}

Result<> Balancer::send(Outlet& to, RxSlot& slot, const Piece& piece) {
  return is_capture_ ? to.copy(slot, piece) : to.take(slot, piece);
}

Result<> Balancer::send(Outlet& to, TxSlot& slot, const Piece& piece) {
  if (auto swapped = slot.swap(*work_.spare); !swapped) return swapped;
  return to.take(*work_.spare, piece);
}

/// Hands over what was sent, for the wait to sync.
Result<> Balancer::finish() {
  for (std::size_t n = 0; n != work_.outlets.size(); ++n) {
    Outlet& outlet = work_.outlets[n];
    outlet.see_queued(overflow_.packets(n));
    if (auto committed = outlet.commit(); !committed) return committed;
  }
  free_buffers_ = overflow_.free();
  return {};
}

Result<bool> Balancer::wait(std::chrono::nanoseconds timeout) {
  wanted_.clear();
  bool goes_on = !has_ended_;
  for (std::size_t n = 0; n != work_.outlets.size(); ++n) {
    Outlet& outlet = work_.outlets[n];
    // The last sync may have brought it: nothing would wake us for it again.
    if (outlet.has_returned()) timeout = 0ns;
    const auto asked = ask(n);
    if (!asked) return std::unexpected(asked.error());
    goes_on |= *asked;
    const bool needs_sync = outlet.needs_sync();
    if (*asked || needs_sync) wanted_.push_back({&outlet.port(), Direction::tx});
  }
  if (!goes_on) return false;
  if (!has_ended_) {
    for (RxRing& ring : work_.input.rx_rings()) {
      // As above.
      if (!awaited_ && !ring.packets().empty()) timeout = 0ns;
      // What has come, but cannot be sent yet, must not wake us.
      if (auto seen = ring.seen(ring.slots().end()); !seen) return std::unexpected(seen.error());
    }
    if (!awaited_) wanted_.push_back({&work_.input, Direction::rx});
  }
  const auto waited = netmap::wait_any(wanted_, timeout);
  if (!waited && !is_end(waited.error())) return waited;
  has_ended_ = has_ended_ || !waited;
  return true;
}

Result<bool> Balancer::ask(std::size_t n) {
  std::size_t slots = 0;
  if (!overflow_.empty(n)) slots = overflow_.front_slots(n);
  if (awaited_ && awaited_->outlet == n) slots = awaited_->slots;
  return work_.outlets[n].ask(slots);
}

Result<> Balancer::drain() {
  for (Outlet& outlet : work_.outlets) {  // none waits for another
    if (auto synced = outlet.port().sync_tx(); !synced) return synced;
  }
  const auto end = Clock::now() + 1s;
  for (Outlet& outlet : work_.outlets) {
    const auto left = outlet.port().drain(std::max(Clock::duration::zero(), end - Clock::now()));
    if (!left) return std::unexpected(left.error());
    left_ += *left;
  }
  return {};
}

}  // namespace nmx
