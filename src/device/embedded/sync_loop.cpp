// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/sync_loop.hpp"

#include "device/embedded/options.hpp"
#include "os/files.hpp"
#include "point.hpp"

#include <cerrno>
#include <string>

namespace netmap::embedded {

using detail::load;
using detail::store;

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

SyncLoop::SyncLoop(const abi::nmreq_opt_csb& arrays, const std::vector<PipeSender>& senders,
                   const std::vector<PipeReceiver>& receivers) {
  senders_.reserve(senders.size());
  receivers_.reserve(receivers.size());
  std::size_t n = 0;
  for (const PipeSender& side : senders) add(senders_, side, *side.ring().tx, arrays, n++);
  for (const PipeReceiver& side : receivers) add(receivers_, side, *side.ring().rx, arrays, n++);
}

/// The lines stay where they are, so that each side can point to its own.
template <class Side>
void SyncLoop::add(std::vector<Line<Side>>& lines, const Side& side, const abi::netmap_ring& ring,
                   const abi::nmreq_opt_csb& arrays, std::size_t n) {
  const auto at = [n]<class Entry>(std::uint64_t array, Entry*) {
    return reinterpret_cast<Entry*>(static_cast<std::uintptr_t>(array)) + n;
  };
  auto* const from_program = at(arrays.csb_atok, static_cast<abi::nm_csb_atok*>(nullptr));
  auto* const to_program = at(arrays.csb_ktoa, static_cast<abi::nm_csb_ktoa*>(nullptr));
  auto& line = lines.emplace_back(side, from_program, to_program, abi::netmap_ring{});
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

Result<> SyncLoop::run(std::uint32_t sleep_us, Ringer& ringer) {
  if (is_running_.exchange(true)) {
    return refuse(std::errc::device_or_resource_busy, "the sync loop of this port runs already");
  }
  while (!is_stopping_) {
    round(ringer);
    if (sleep_us != 0) os::pause(std::chrono::microseconds(sleep_us));
  }
  is_stopping_ = false;
  is_running_ = false;
  is_running_.notify_all();
  return {};
}

void SyncLoop::stop() noexcept {
  is_stopping_ = true;
  is_running_.wait(true);
}

/// The program stores cur, then head; it loads hwtail, then hwcur.
template <class Side>
void SyncLoop::sync(Line<Side>& line, const std::atomic<std::uint32_t>& taken) noexcept {
  line.user.head = __atomic_load_n(&line.from_program->head, __ATOMIC_ACQUIRE);
  line.user.cur = load(line.from_program->cur);
  if (!line.side.sync()) line.side.reset();
  NETMAP_POINT("loop: synced");
  store(line.to_program->hwcur, taken.load(std::memory_order_relaxed));
  __atomic_store_n(&line.to_program->hwtail, line.user.tail, __ATOMIC_RELEASE);
  NETMAP_POINT("loop: told");
}

void SyncLoop::round(Ringer& ringer) noexcept {
  for (auto& line : senders_) {
    RingWords& words = line.side.words();
    sync(line, words.published);
    ringer.publish_barrier();
    if (words.rx_sleepers != 0 && line.side.has_news()) {
      ringer.wake(words.rx_sleepers, Direction::rx);
    }
  }
  for (auto& line : receivers_) {
    RingWords& words = line.side.words();
    sync(line, words.returned);
    ringer.publish_barrier();
    if (words.tx_sleepers != 0 && line.side.free_slots() >= words.tx_wanted) {
      ringer.wake(words.tx_sleepers, Direction::tx);
    }
  }
}

}  // namespace netmap::embedded
