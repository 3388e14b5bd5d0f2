// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/sync_loop.hpp"

#include "device/embedded/options.hpp"
#include "os/files.hpp"
#include "point.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <type_traits>
#include <utility>

#include <poll.h>

namespace netmap::embedded {

using detail::load;
using detail::store;

namespace {

template <class Side>
constexpr bool is_sender = std::is_same_v<Side, PipeSender> || std::is_same_v<Side, PortSender>;
template <class Side>
constexpr Direction direction_of = is_sender<Side> ? Direction::tx : Direction::rx;

const abi::netmap_ring& ring_of(const PipeSender& side) {
  return *side.ring().tx;
}
const abi::netmap_ring& ring_of(const PipeReceiver& side) {
  return *side.ring().rx;
}
const abi::netmap_ring& ring_of(const PortSide& side) {
  return side.ring();
}

/// A pipe's words are its peer's, too; those of another port are as it was last looked at.
void look(PipeSender&) noexcept {}
void look(PipeReceiver&) noexcept {}
void look(PortSide& side) noexcept {
  side.look();
}

void wake(PipeSender& side, Ringer& ringer) noexcept {
  RingWords& words = side.words();
  ringer.publish_barrier();
  if (words.rx_sleepers != 0 && side.has_news()) ringer.wake(words.rx_sleepers, Direction::rx);
}
void wake(PipeReceiver& side, Ringer& ringer) noexcept {
  RingWords& words = side.words();
  ringer.publish_barrier();
  if (words.tx_sleepers != 0 && side.has_room()) ringer.wake(words.tx_sleepers, Direction::tx);
}
void wake(PortSide&, Ringer&) noexcept {}

}  // namespace

Result<> SyncLoop::check(abi::nmreq_opt_csb& arrays, bool is_exclusive) {
  const auto answer = [&](std::errc code) {
    arrays.nro_opt.nro_status = static_cast<std::uint32_t>(code);
  };
  answer(std::errc::invalid_argument);
  if (!is_exclusive) {
    return refuse(std::errc::invalid_argument, "CSB mode needs a port opened exclusively");
  }
  if (arrays.csb_atok % abi::csb_align != 0 || arrays.csb_ktoa % abi::csb_align != 0) {
    return refuse(std::errc::invalid_argument, "the arrays of CSB mode are not aligned to " +
                                                   std::to_string(abi::csb_align) + " bytes");
  }
  answer(std::errc::bad_address);
  if (arrays.csb_atok == 0 || arrays.csb_ktoa == 0) {
    return refuse(std::errc::bad_address, "the arrays of CSB mode are not there");
  }
  answer(std::errc{});
  return {};
}

Result<> SyncLoop::run(const abi::nmreq_header& request, Device& port, Ringer& ringer) {
  if (is_running_.exchange(true)) {
    return refuse(std::errc::device_or_resource_busy, "the sync loop of this port runs already");
  }
  auto done = run_rings(request, port, ringer);
  is_stopping_ = false;
  is_running_ = false;
  is_running_.notify_all();
  return done;
}

template <class Sender, class Receiver>
SyncLoopOf<Sender, Receiver>::SyncLoopOf(const abi::nmreq_opt_csb& arrays,
                                         std::vector<Sender> senders,
                                         std::vector<Receiver> receivers, Taps taps,
                                         const std::atomic<std::uint8_t>& is_watched)
    : taps_(std::move(taps)), is_watched_(&is_watched) {
  senders_.reserve(senders.size());
  receivers_.reserve(receivers.size());
  std::size_t n = 0;
  for (Sender& side : senders) add(senders_, std::move(side), arrays, n++);
  for (Receiver& side : receivers) add(receivers_, std::move(side), arrays, n++);
}

/// The lines stay where they are, so that each side can point to its own.
template <class Sender, class Receiver>
template <class Side>
void SyncLoopOf<Sender, Receiver>::add(std::vector<Line<Side>>& lines, Side side,
                                       const abi::nmreq_opt_csb& arrays, std::size_t n) {
  const auto at = [n]<class Entry>(std::uint64_t array, Entry*) {
    return reinterpret_cast<Entry*>(static_cast<std::uintptr_t>(array)) + n;
  };
  auto* const from_program = at(arrays.csb_atok, static_cast<abi::nm_csb_atok*>(nullptr));
  auto* const to_program = at(arrays.csb_ktoa, static_cast<abi::nm_csb_ktoa*>(nullptr));
  const abi::netmap_ring& ring = ring_of(side);
  auto& line = lines.emplace_back(abi::netmap_ring{}, from_program, to_program, nullptr,
                                  std::move(side), lines.size());
  taps_.serve(direction_of<Side>, line.number, line.user);
  line.user.head = load(ring.head);
  line.user.cur = load(ring.cur);
  line.user.tail = load(ring.tail);
  line.side.serve(line.user);
  line.side.ledger().is_raw = true;  // the program does not say what it swapped
  *from_program = {.head = line.user.head,
                   .cur = line.user.cur,
                   .appl_need_kick = 1,
                   .sync_flags = 1,
                   .pad = {}};
  *to_program = {.hwcur = line.user.head, .hwtail = line.user.tail, .kern_need_kick = 1, .pad = {}};
}

template <class Sender, class Receiver>
Result<> SyncLoopOf<Sender, Receiver>::run_rings(const abi::nmreq_header& request, Device& port,
                                                 Ringer& ringer) {
  const auto& body = *reinterpret_cast<const abi::nmreq_sync_kloop_start*>(
      static_cast<std::uintptr_t>(request.nr_body));
  auto kicks = Kicks::from(request, senders_.size(), receivers_.size());
  if (!kicks) return std::unexpected(kicks.error());
  equip(*kicks);
  want_kicks(false);
  while (!is_stopping()) {
    const bool has_moved = round(ringer);
    if (kicks->awaited) {
      if (!has_moved) sleep(*kicks->awaited, port, ringer);
    } else if (body.sleep_us != 0) {
      os::pause(std::chrono::microseconds(body.sleep_us));
    }
  }
  return {};
}

template <class Sender, class Receiver>
void SyncLoopOf<Sender, Receiver>::equip(const Kicks& kicks) noexcept {
  const auto give = [&kicks](auto& line, std::size_t n, bool is_direct) {
    const bool is_told = n < kicks.interrupts.size() && kicks.interrupts[n];
    line.interrupt = is_told ? &kicks.interrupts[n] : nullptr;
    line.is_direct = is_direct;
  };
  std::size_t n = 0;
  for (auto& line : senders_) {
    give(line, n++, kicks.direct_tx);
    line.known = line.side.words().returned.load(std::memory_order_relaxed);
  }
  for (auto& line : receivers_) {
    give(line, n++, kicks.direct_rx);
    line.known = line.side.words().published.load(std::memory_order_relaxed);
  }
}

/// Whoever comes with news sees that this is about to sleep, or is seen by the last look.
template <class Sender, class Receiver>
void SyncLoopOf<Sender, Receiver>::sleep(os::Signals& kicks, Device& port,
                                         Ringer& ringer) noexcept {
  constexpr auto both = Direction::rx | Direction::tx;
  constexpr auto longest = std::chrono::seconds(3);  // as the module has it
  want_kicks(true);
  port.arm(both);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const bool has_moved = round(ringer);
  tell_of_news();
  std::array<pollfd, 3> fds{{{kicks.fd(), POLLIN, 0},
                             {port.wait_handle(Direction::rx).fd, POLLIN, 0},
                             {port.wait_handle(Direction::tx).fd, POLLIN, 0}}};
  if (!has_moved && !is_stopping()) (void)os::poll(fds, longest);
  port.disarm(both);
  want_kicks(false);
  tell_of_news();
  take_kicks(kicks, ringer);
}

/// Direct lines are synced here; the others are in the next round.
template <class Sender, class Receiver>
void SyncLoopOf<Sender, Receiver>::take_kicks(os::Signals& kicks, Ringer& ringer) noexcept {
  while (const auto kicked = kicks.next()) {
    const std::size_t n = *kicked;
    if (n < senders_.size()) {
      if (senders_[n].is_direct) (void)sync(senders_[n], ringer);
    } else if (auto& line = receivers_[n - senders_.size()]; line.is_direct) {
      (void)sync(line, ringer);
    }
  }
}

/// Of a direct line only the program syncs, by its kick: it has to be told what there is.
template <class Sender, class Receiver>
void SyncLoopOf<Sender, Receiver>::tell_of_news() noexcept {
  const auto tell = [](auto& line, const std::atomic<std::uint32_t>& news) {
    if (!line.is_direct || line.interrupt == nullptr) return;
    look(line.side);
    const std::uint32_t now = news.load(std::memory_order_acquire);
    if (std::exchange(line.known, now) != now) os::signal(*line.interrupt);
  };
  for (auto& line : senders_) tell(line, line.side.words().returned);
  for (auto& line : receivers_) tell(line, line.side.words().published);
}

template <class Sender, class Receiver>
void SyncLoopOf<Sender, Receiver>::want_kicks(bool wanted) noexcept {
  const auto want = [wanted](auto& line) {
    if (!line.is_direct) store(line.to_program->kern_need_kick, std::uint32_t{wanted});
  };
  std::ranges::for_each(senders_, want);
  std::ranges::for_each(receivers_, want);
}

/// The program stores cur, then head; it loads hwtail, then hwcur. Yields whether these moved.
template <class Sender, class Receiver>
template <class Side>
bool SyncLoopOf<Sender, Receiver>::sync(Line<Side>& line, const std::atomic<std::uint32_t>& taken,
                                        Ringer& ringer) noexcept {
  const std::uint32_t tail = line.user.tail;
  line.user.head = __atomic_load_n(&line.from_program->head, __ATOMIC_ACQUIRE);
  line.user.cur = load(line.from_program->cur);
  if (is_watched_->load(std::memory_order_relaxed) != 0) [[unlikely]] {
    sync_watched(line, ringer);
  } else if (!line.side.sync()) {
    line.side.reset();
  }
  NETMAP_POINT("loop: synced");
  const std::uint32_t now_taken = taken.load(std::memory_order_relaxed);
  const bool has_taken = load(line.to_program->hwcur) != now_taken;
  store(line.to_program->hwcur, now_taken);
  __atomic_store_n(&line.to_program->hwtail, line.user.tail, __ATOMIC_RELEASE);
  NETMAP_POINT("loop: told");
  const bool has_more = line.user.tail != tail;
  if (has_more && line.interrupt != nullptr && !line.is_direct) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (load(line.from_program->appl_need_kick) != 0) os::signal(*line.interrupt);
  }
  return has_taken || has_more;
}

/// With monitors.
template <class Sender, class Receiver>
template <class Side>
void SyncLoopOf<Sender, Receiver>::sync_watched(Line<Side>& line, Ringer& ringer) noexcept {
  constexpr Direction direction = direction_of<Side>;
  taps_.before(direction, line.number, line.side.handed_over(), ringer);
  if (!line.side.sync()) line.side.reset();
  taps_.after(direction, line.number, ringer);
}

template <class Sender, class Receiver>
bool SyncLoopOf<Sender, Receiver>::sync(Line<Sender>& line, Ringer& ringer) noexcept {
  const bool has_moved = sync(line, line.side.words().published, ringer);
  wake(line.side, ringer);
  return has_moved;
}

template <class Sender, class Receiver>
bool SyncLoopOf<Sender, Receiver>::sync(Line<Receiver>& line, Ringer& ringer) noexcept {
  const bool has_moved = sync(line, line.side.words().returned, ringer);
  wake(line.side, ringer);
  return has_moved;
}

template <class Sender, class Receiver>
bool SyncLoopOf<Sender, Receiver>::round(Ringer& ringer) noexcept {
  bool has_moved = false;
  for (auto& line : senders_) {
    if (!line.is_direct) has_moved |= sync(line, ringer);
  }
  for (auto& line : receivers_) {
    if (!line.is_direct) has_moved |= sync(line, ringer);
  }
  return has_moved;
}

template class SyncLoopOf<PipeSender, PipeReceiver>;
template class SyncLoopOf<PortSender, PortReceiver>;

}  // namespace netmap::embedded
