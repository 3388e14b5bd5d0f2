// SPDX-License-Identifier: BSD-2-Clause
#include "device/kernel/kernel.hpp"

#include "device/kernel/control.hpp"
#include "device/kernel/region.hpp"
#include "port/layout.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace netmap::kernel {
namespace {

/// A ring, and how far its slots were counted: tx up to head, rx up to tail.
struct CountedRing {
  RingPlace at;
  std::uint32_t upto;
  detail::Ledger ledger;
};

void count(CountedRing& ring, std::uint32_t end) noexcept {
  const auto& slots = ring.at.bounds.slots;
  if (end >= slots.size() || ring.upto >= slots.size()) return;
  for (; ring.upto != end; ring.upto = ring.upto + 1 == slots.size() ? 0 : ring.upto + 1) {
    detail::count(ring.ledger.stats, detail::load(slots.first[ring.upto]));
  }
}

/// Whether the module will take the ring as it is. Impossible positions it resets ("ring reinit"),
/// and says so nowhere but in the system's log.
bool is_possible(const CountedRing& ring) noexcept {
  return detail::load(ring.at.ring->head) < ring.at.bounds.slots.size() &&
         detail::load(ring.at.ring->cur) < ring.at.bounds.slots.size();
}

class KernelDevice final : public Device {
 public:
  explicit KernelDevice(os::File file, const abi::nmreq_register& registered = {})
      : file_(std::move(file)), registered_(registered) {}

  Result<> control(abi::nmreq_header& request) override {
    auto done = kernel::control(file_, request);
    if (done && request.nr_reqtype == abi::request::port_register) {
      registered_ = *reinterpret_cast<const abi::nmreq_register*>(
          static_cast<std::uintptr_t>(request.nr_body));
    }
    return done;
  }

  Result<std::vector<OpenPort>> open_ports() override { return list_vale_ports(file_); }

  Result<std::shared_ptr<Region>> map() override {
    auto region = map_region(registered_.nr_mem_id);
    if (!region) return region;
    auto layout = find_rings((*region)->bytes(), registered_.nr_offset);
    if (!layout) return std::unexpected(layout.error());
    for (const RingPlace& at : layout->tx) tx_.push_back({at, detail::load(at.ring->head), {}});
    for (const RingPlace& at : layout->rx) rx_.push_back({at, detail::load(at.ring->tail), {}});
    return region;
  }

  /// Slots are counted before the module may reuse them.
  SyncStatus sync_tx() noexcept override {
    const bool possible = std::ranges::all_of(tx_, is_possible);
    count_sent();
    if (auto done = os::ioctl(file_.fd(), abi::ioctl_number::txsync, nullptr); !done) {
      return done.error();
    }
    return possible ? SyncStatus() : SyncStatus(errc::ring_corrupt);
  }

  SyncStatus sync_rx() noexcept override {
    const bool possible = std::ranges::all_of(rx_, is_possible);
    if (auto done = os::ioctl(file_.fd(), abi::ioctl_number::rxsync, nullptr); !done) {
      return done.error();
    }
    count_arrived();
    return possible ? SyncStatus() : SyncStatus(errc::ring_corrupt);
  }

  [[nodiscard]] detail::Ledger& ledger(Direction direction, std::size_t n) noexcept override {
    return (direction == Direction::tx ? tx_ : rx_)[n].ledger;
  }

  [[nodiscard]] WaitHandle wait_handle(Direction direction) const noexcept override {
    return {file_.fd(), static_cast<short>(direction == Direction::tx ? POLLOUT : POLLIN)};
  }

  /// FreeBSD's module does not send if there is room already.
  [[nodiscard]] bool poll_syncs() const noexcept override { return os::is_linux; }
  void arm(Directions directions, std::uint32_t) noexcept override {
    if (directions.has(Direction::tx)) count_sent();
  }
  void disarm(Directions directions) noexcept override {
    if (directions.has(Direction::rx)) count_arrived();
  }

 private:
  void count_sent() noexcept {
    for (CountedRing& ring : tx_) count(ring, detail::load(ring.at.ring->head));
  }
  void count_arrived() noexcept {
    for (CountedRing& ring : rx_) count(ring, detail::load(ring.at.ring->tail));
  }

  os::File file_;
  abi::nmreq_register registered_;
  std::vector<CountedRing> tx_;
  std::vector<CountedRing> rx_;
};

}  // namespace

bool is_present() noexcept {
  return os::exists(abi::device_path);
}

Result<OpenDevice> open_device(const DeviceOptions&) {
  auto file = open_file();
  if (!file) return std::unexpected(file.error());
  return OpenDevice{std::make_unique<KernelDevice>(std::move(*file)), DeviceKind::kernel, {}};
}

std::unique_ptr<Device> adopt(os::File file, const abi::nmreq_register& registered) {
  return std::make_unique<KernelDevice>(std::move(file), registered);
}

}  // namespace netmap::kernel
