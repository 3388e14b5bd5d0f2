// SPDX-License-Identifier: BSD-2-Clause
#include "device/fault/fault.hpp"

#include "device/fault/rings.hpp"
#include "device/fault/waker.hpp"
#include "device/private_region.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <utility>

namespace netmap::fault {
namespace {

PrivateShape shape_of(Port& port) {
  PrivateShape shape{.name = port.info().name, .conf = port.info().conf};
  const auto add = [&](std::vector<RingShape>& to, const auto& rings) {
    for (const Ring& ring : rings) {
      to.push_back({ring.index(), ring.is_host(), ring.num_slots()});
      shape.buffer_bytes = ring.buffer_size();
    }
  };
  add(shape.tx, port.tx_rings());
  add(shape.rx, port.rx_rings());
  shape.extra_buffers = static_cast<std::uint32_t>(port.extra_buffers());
  return shape;
}

SyncStatus status_of(const Result<>& done) {
  return done ? SyncStatus() : SyncStatus(done.error().code());
}

/// The first failure of several calls.
void join(SyncStatus& all, SyncStatus one) {
  if (all.is_ok()) all = one;
}

class FaultDevice final : public Device {
 public:
  FaultDevice(Port inner, const Faults& faults, std::array<Waker, 2> wakers,
              std::shared_ptr<Region> region, const Layout& layout)
      : inner_(std::move(inner)),
        faults_(faults),
        dice_(faults.seed),
        region_(std::move(region)),
        wakers_(std::move(wakers)) {
    std::uint64_t seed = faults.seed;
    for (const RingPlace& at : layout.tx) {
      tx_.emplace_back(at, inner_.tx_rings()[tx_.size()], Inflicted{faults_, counts_, ++seed});
    }
    for (const RingPlace& at : layout.rx) {
      rx_.emplace_back(at, inner_.rx_rings()[rx_.size()], Inflicted{faults_, counts_, ++seed});
    }
  }

  /// What is still under way arrives.
  ~FaultDevice() override {
    for (FaultyTx& ring : tx_) ring.flush();
    (void)inner_.sync_tx();
  }

  Result<> control(abi::nmreq_header&) override { return detail::refuse(errc::not_supported); }
  Result<std::vector<OpenPort>> open_ports() override {
    return detail::refuse<std::vector<OpenPort>>(errc::not_supported);
  }
  Result<std::shared_ptr<Region>> map() override { return region_; }
  [[nodiscard]] Result<> can_forward() const override {
    return std::unexpected(
        Error(errc::not_supported,
              "a port with faults has rings of its own, which neither sees; open it without"));
  }
  [[nodiscard]] FaultCounts fault_counts() const noexcept override { return counts_; }
  [[nodiscard]] XdpCounts xdp_counts() const noexcept override { return inner_.stats().xdp; }
  [[nodiscard]] std::uint64_t dropped() const noexcept override { return inner_.stats().dropped; }

  SyncStatus sync_tx() noexcept override {
    return guarded([this] { return send(); });
  }
  SyncStatus sync_rx() noexcept override {
    return guarded([this] { return receive(); });
  }
  [[nodiscard]] std::string reason(std::error_code why) const override {
    return inner_.reason(why);
  }
  [[nodiscard]] detail::Ledger& ledger(Direction direction, std::size_t n) noexcept override {
    return direction == Direction::tx ? tx_[n].ledger() : rx_[n].ledger();
  }

  [[nodiscard]] WaitHandle wait_handle(Direction direction) const noexcept override {
    return {.fd = wakers_[number(direction)].fd(), .events = POLLIN};
  }
  [[nodiscard]] bool poll_syncs(Directions) const noexcept override { return false; }
  void arm(Directions directions) noexcept override {
    if (directions.has(Direction::tx)) {
      for (FaultyTx& ring : tx_) ring.want();
      arm(Direction::tx, earliest(tx_));
    }
    if (directions.has(Direction::rx)) {
      const auto due = earliest(rx_);
      arm(Direction::rx, is_armed(Direction::tx) ? due : std::min(due, earliest(tx_)));
    }
  }
  void disarm(Directions directions) noexcept override {
    for (const Direction one : {Direction::tx, Direction::rx}) {
      if (directions.has(one)) join(failure_, wakers_[number(one)].clear(inner_));
    }
  }

 private:
  static std::size_t number(Direction direction) { return direction == Direction::tx ? 1 : 0; }

  template <class Rings>
  static Clock::time_point earliest(const Rings& rings) {
    auto time = Clock::time_point::max();
    for (const auto& ring : rings) time = std::min(time, ring.due());
    return time;
  }

  void arm(Direction direction, Clock::time_point due) noexcept {
    Waker& waker = wakers_[number(direction)];
    if (dice_.chance(faults_.spurious)) {
      ++counts_.spurious;
      waker.set(Clock::now());
    } else if (faults_.late.count() > 0 && dice_.chance(0.5)) {
      ++counts_.late;
      waker.set(Clock::now() + dice_.upto(faults_.late));
    } else {
      waker.set(inner_, due);
    }
  }

  /// Then that wait is ended when a packet is to be passed on, or comes; else whoever syncs does
  /// it.
  [[nodiscard]] bool is_armed(Direction direction) const noexcept {
    return wakers_[number(direction)].is_set();
  }

  template <class Sync>
  SyncStatus guarded(Sync sync) noexcept {
    try {
      if (dice_.chance(faults_.fail)) {
        ++counts_.failed;
        return errc::fault_injected;
      }
      SyncStatus done = std::exchange(failure_, {});
      join(done, sync());
      return done;
    } catch (const std::bad_alloc&) {
      return std::make_error_code(std::errc::not_enough_memory);
    }
  }

  SyncStatus send() {
    SyncStatus done;
    const auto now = Clock::now();
    for (FaultyTx& ring : tx_) join(done, ring.take(now));
    join(done, pass_on(now));
    for (FaultyTx& ring : tx_) ring.show_free();
    return done;
  }

  SyncStatus pass_on(Clock::time_point now) {
    SyncStatus done;
    for (FaultyTx& ring : tx_) join(done, ring.pass_on(now));
    join(done, status_of(inner_.sync_tx()));
    return done;
  }

  /// What has come is shown before the device's failure is. What comes once it is armed is left to
  /// the device: taken, it would wake nobody where polling looks at the ring.
  SyncStatus receive() {
    SyncStatus done;
    const auto now = Clock::now();
    if (!is_armed(Direction::tx) && earliest(tx_) <= now) join(done, pass_on(now));
    const SyncStatus synced = is_armed(Direction::rx) ? SyncStatus() : fetch(now, done);
    for (FaultyRx& ring : rx_) join(done, ring.show(now));
    if (std::ranges::none_of(rx_, &FaultyRx::has_any)) join(done, synced);
    return done;
  }

  /// Takes what has come; the status of the device's sync.
  SyncStatus fetch(Clock::time_point now, SyncStatus& done) {
    for (FaultyRx& ring : rx_) join(done, ring.give_back());
    const SyncStatus synced = status_of(inner_.sync_rx());
    for (FaultyRx& ring : rx_) join(done, ring.take(now));
    return synced;
  }

  Port inner_;
  Faults faults_;
  FaultCounts counts_;
  Dice dice_;
  std::shared_ptr<Region> region_;
  std::array<Waker, 2> wakers_;
  std::vector<FaultyTx> tx_;
  std::vector<FaultyRx> rx_;
  SyncStatus failure_;  ///< the device's, met while nobody could be told
};

Result<> check(const Faults& faults) {
  for (const double probability : {faults.drop, faults.duplicate, faults.corrupt, faults.reorder,
                                   faults.short_batch, faults.fail, faults.spurious}) {
    if (probability >= 0 && probability <= 1) continue;
    return std::unexpected(Error(std::make_error_code(std::errc::invalid_argument),
                                 "a fault's probability is " + std::to_string(probability) +
                                     ", but has to lie between 0 and 1"));
  }
  return {};
}

}  // namespace

Result<Port> inflict(Port inner, const Faults& faults) {
  if (auto checked = check(faults); !checked) return std::unexpected(checked.error());
  auto rx_waker = Waker::make(inner, Direction::rx);
  if (!rx_waker) return std::unexpected(rx_waker.error());
  auto tx_waker = Waker::make(inner, Direction::tx);
  if (!tx_waker) return std::unexpected(tx_waker.error());
  auto region = make_private_region(shape_of(inner));
  if (!region) return std::unexpected(region.error());
  const auto layout = find_rings((*region)->bytes(), 0);
  if (!layout) return std::unexpected(layout.error());
  PortInfo info = inner.info();
  return Port::assemble(
      std::make_unique<FaultDevice>(std::move(inner), faults,
                                    std::array{std::move(*rx_waker), std::move(*tx_waker)}, *region,
                                    *layout),
      std::move(info), {});
}

}  // namespace netmap::fault
