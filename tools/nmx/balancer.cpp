// SPDX-License-Identifier: BSD-2-Clause
#include "balancer.hpp"

#include "flow_hash.hpp"
#include "ports.hpp"
#include "pump.hpp"
#include "sleep_on.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace nmx {

using netmap::Direction;
using netmap::Directions;
using netmap::Error;
using netmap::Packet;
using netmap::Result;
using netmap::RxRing;
using netmap::RxSlot;
using netmap::TxSlot;
using namespace std::chrono_literals;

namespace {

/// The beginning of a packet in one piece: in a packet of several slots the first may end within
/// the headers.
class Beginning {
 public:
  std::span<const std::byte> of(const Packet& packet) {
    if (packet.is_linear()) return packet.front();
    std::size_t filled = 0;
    for (const RxSlot fragment : packet.fragments()) {
      const auto bytes = fragment.bytes();
      const std::size_t part = std::min(bytes.size(), bytes_.size() - filled);
      std::copy_n(bytes.begin(), part, bytes_.begin() + static_cast<std::ptrdiff_t>(filled));
      filled += part;
      if (filled == bytes_.size()) break;
    }
    return std::span(bytes_).first(filled);
  }

 private:
  std::array<std::byte, 256> bytes_;
};

/// Keeps the first failure of a loop whose body cannot leave it.
void attempt(Result<>& done, auto action) {
  if (done) done = action();
}

}  // namespace

Balancer::Balancer(Balance& work, std::uint32_t batch, std::uint64_t count)
    : work_(work),
      batch_(batch),
      unreceived_(count == 0 ? UINT64_MAX : count),
      is_capture_(is_capture(work.input.info())),
      overflow_(static_cast<std::uint32_t>(work.overflow.size()), work.outlets.size()) {}

Result<> Balancer::run(Counters& counters, std::chrono::nanoseconds spin) {
  // A capture is there, or has ended: looking again brings nothing.
  const auto patience = is_capture_ ? std::chrono::nanoseconds(0) : spin;
  auto done = pump(counters, [&] { return round(counters); }, [&] { return wait(); }, patience);
  if (!done) return done;
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
    const auto each = [&](auto use) {
      for (const Piece& piece : pieces) {
        TxSlot slot = *first;
        use(slot, piece);
        ++first;
      }
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
  const auto packets = ring.packets(batch_);
  netmap::LookAhead ahead(packets.slots());
  std::uint64_t moved = 0;
  std::uint64_t bytes = 0;
  std::uint64_t non_ip = 0;
  Beginning beginning;
  auto next = packets.begin();
  for (; next != packets.end() && moved != unreceived_; ++next) {
    const Packet packet = *next;
    const auto fragments = packet.fragments();
    const std::size_t slots = packet.is_linear() ? 1 : fragments.size();
    const std::size_t size = packet.size();
    const Flow flow = flow_of(beginning.of(packet));
    ahead.step(slots);
    const auto placed = place(work_.groups.front(), flow.hash, slots, [&](auto use) {
      // Whoever shares the ring may change its flags: the count that room was made for holds.
      std::size_t left = slots;
      for (RxSlot slot : fragments) use(slot, Piece{flow.hash, slot.length(), --left != 0});
    });
    if (!placed) return std::unexpected(placed.error());
    if (!*placed) break;
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

template <class Each>
Result<bool> Balancer::place(const Group& group, std::uint32_t hash, std::size_t slots, Each each) {
  const std::size_t n = choose(group, hash);
  Outlet& to = work_.outlets[n];
  Result<> done;
  if (slots <= to.room() && overflow_.empty(n)) [[likely]] {
    each([&](auto& slot, const Piece& piece) {
      attempt(done, [&] { return send(to, slot, piece); });
    });
    to.count_forwarded(1);
  } else if (is_capture_ && &group == &work_.groups.front() && to.can_hold(slots)) {
    awaited_ = Awaited{n, slots};
    return false;
  } else if (to.can_hold(slots) &&
             overflow_.make_room(static_cast<std::uint32_t>(slots), [&](std::size_t loser) {
               work_.outlets[loser].count_dropped();
             })) {
    each([&](auto& slot, const Piece& piece) {
      attempt(done, [&] { return slot.swap(work_.overflow[overflow_.push(n, piece)]); });
    });
  } else {
    to.count_dropped();
  }
  if (done) return true;
  return std::unexpected(
      Error(done.error().code(),
            fmt::format("cannot forward from '{}' to '{}': {}", work_.input.info().name,
                        to.info().name, done.error().message())));
}

Result<> Balancer::send(Outlet& to, RxSlot& slot, const Piece& piece) {
  return is_capture_ ? to.copy(slot, piece) : to.take(slot, piece);
}

Result<> Balancer::send(Outlet& to, TxSlot& slot, const Piece& piece) {
  if (auto swapped = slot.swap(*work_.spare); !swapped) return swapped;
  return to.take(*work_.spare, piece);
}

/// Hands over what was sent, gives back what was received, and sees what comes next.
Result<> Balancer::finish() {
  for (std::size_t n = 0; n != work_.outlets.size(); ++n) {
    Outlet& outlet = work_.outlets[n];
    outlet.see_queued(overflow_.packets(n));
    if (auto flushed = outlet.flush(); !flushed) return flushed;
  }
  free_buffers_ = overflow_.free();
  return sync_input();
}

Result<> Balancer::sync_input() {
  if (has_ended_) return {};
  const auto synced = work_.input.sync_rx();
  has_ended_ = !synced && is_end(synced.error());
  if (!synced && !has_ended_) return synced;
  return {};
}

Result<bool> Balancer::wait() {
  std::vector<Wanted> wanted;
  for (std::size_t n = 0; n != work_.outlets.size(); ++n) {
    const auto directions = ask(n);
    if (!directions) return std::unexpected(directions.error());
    if (!directions->empty()) wanted.push_back({&work_.outlets[n].port(), *directions});
  }
  if (has_ended_ && wanted.empty()) return false;
  if (!has_ended_) {
    for (RxRing& ring : work_.input.rx_rings()) {
      // The round's last sync may have brought it: nothing would wake us for it again.
      if (!awaited_ && !ring.packets().empty()) return true;
      // What has come, but cannot be sent yet, must not wake us.
      if (auto seen = ring.seen(ring.slots().end()); !seen) return std::unexpected(seen.error());
    }
    if (!awaited_) wanted.push_back({&work_.input, Direction::rx});
  }
  Result<> done = sleep_on(wanted);
  for (const auto& [port, directions] : wanted) {
    if (directions.has(Direction::tx)) attempt(done, [&] { return port->sync_tx(); });
  }
  attempt(done, [&] { return sync_input(); });
  if (!done) return std::unexpected(done.error());
  return true;
}

Result<Directions> Balancer::ask(std::size_t n) {
  std::size_t slots = 0;
  if (!overflow_.empty(n)) slots = overflow_.front_slots(n);
  if (awaited_ && awaited_->outlet == n) slots = awaited_->slots;
  return work_.outlets[n].ask(slots);
}

Result<> Balancer::drain() {
  const auto end = Clock::now() + 1s;
  for (Outlet& outlet : work_.outlets) {
    const auto left = outlet.port().drain(std::max(Clock::duration::zero(), end - Clock::now()));
    if (!left) return std::unexpected(left.error());
    left_ += *left;
  }
  return {};
}

}  // namespace nmx
