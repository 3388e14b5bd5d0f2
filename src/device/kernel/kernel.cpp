// SPDX-License-Identifier: BSD-2-Clause
#include "device/kernel/kernel.hpp"

#include "device/external_file.hpp"
#include "device/kernel/control.hpp"
#include "device/kernel/region.hpp"
#include "port/layout.hpp"
#include "port/request.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace netmap::kernel {
namespace {

/// A ring, and up to which slot it was counted.
struct CountedRing {
  RingPlace at;
  std::uint32_t upto;
  detail::Ledger ledger;
};

/// Counts what the program hands over, before the module may reuse it.
void count_moved(CountedRing& ring) noexcept {
  const auto& slots = ring.at.bounds.slots;
  const std::uint32_t end = detail::load(ring.at.ring->head);
  if (end >= slots.size() || ring.upto >= slots.size()) return;
  detail::count(ring.ledger.stats, slots, std::exchange(ring.upto, end), end);
}

/// Whether the module will take the ring as it is. Impossible positions it resets ("ring reinit"),
/// and says so nowhere but in the system's log.
bool is_possible(const CountedRing& ring) noexcept {
  return detail::load(ring.at.ring->head) < ring.at.bounds.slots.size() &&
         detail::load(ring.at.ring->cur) < ring.at.bounds.slots.size();
}

/// The memory that the option means, which then says where it is.
Result<std::shared_ptr<Region>> external_region(abi::nmreq_opt_extmem& asked,
                                                const std::string& file) {
  std::shared_ptr<Region> region;
  if (file.empty()) {
    auto* const base = reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(asked.nro_usrptr));
    auto range = claim_range({base, asked.nro_info.nr_memsize});
    if (!range) return std::unexpected(range.error());
    region = std::make_shared<Region>(std::move(*range), os::File());
  } else {
    auto external = open_external_file(file);
    if (!external) return std::unexpected(external.error());
    auto mapping = os::map(external->file, external->status.bytes);
    if (!mapping) {
      return std::unexpected(Error(
          mapping.error(), "cannot map the file '" + file + "': " + mapping.error().message()));
    }
    region = std::make_shared<Region>(std::move(*mapping), std::move(external->file));
  }
  asked.nro_usrptr = reinterpret_cast<std::uintptr_t>(region->bytes().data());
  asked.nro_info.nr_memsize = region->bytes().size();
  return region;
}

/// Whether the rings of a registration have no data offsets, whatever they say: it asked for none,
/// and nobody else has them open. A pipe's rings say what its other end asked for.
bool is_without_offsets(const abi::nmreq_header& request, const abi::nmreq_register& registered) {
  const std::string_view name(request.nr_name);
  return find_option<abi::nmreq_opt_offsets>(request, abi::option::offsets) == nullptr &&
         (registered.nr_flags & abi::register_flags::exclusive) != 0 &&
         name.find_first_of("{}") == std::string_view::npos;
}

/// The module writes the mask only if offsets are asked for; a new ring has that of whoever had its
/// memory before.
void clear_offset_masks(const Layout& layout) {
  for (const RingPlace& at : layout.tx) detail::store(at.ring->offset_mask, 0);
  for (const RingPlace& at : layout.rx) detail::store(at.ring->offset_mask, 0);
}

class KernelDevice final : public Device {
 public:
  /// `external_file` is what option::extmem will be about; empty: the memory that it points to.
  KernelDevice(os::File file, std::string external_file)
      : file_(std::move(file)), external_file_(std::move(external_file)) {}
  KernelDevice(os::File file, const std::string& name, const abi::nmreq_register& registered)
      : file_(std::move(file)), registered_(registered) {
    watch(name);
  }

  Result<> control(abi::nmreq_header& request) override {
    const bool registers = request.nr_reqtype == abi::request::port_register;
    auto* const asked = find_option<abi::nmreq_opt_extmem>(request, abi::option::extmem);
    if (registers && asked != nullptr) {
      auto region = external_region(*asked, external_file_);
      if (!region) return std::unexpected(region.error());
      external_ = std::move(*region);
    }
    auto done = kernel::control(file_, request);
    if (done && registers) {
      registered_ = *reinterpret_cast<const abi::nmreq_register*>(
          static_cast<std::uintptr_t>(request.nr_body));
      is_without_offsets_ = is_without_offsets(request, registered_);
      watch(request.nr_name);
    }
    return done;
  }

  Result<std::vector<OpenPort>> open_ports() override { return list_vale_ports(file_); }

  Result<std::shared_ptr<Region>> map() override {
    const std::uint16_t memory_id = registered_.nr_mem_id;
    auto region = external_ ? know_region(memory_id, external_) : map_region(memory_id);
    if (!region) return region;
    auto layout = find_rings((*region)->bytes(), registered_.nr_offset);
    if (!layout) return std::unexpected(layout.error());
    if (is_without_offsets_) clear_offset_masks(*layout);
    for (const RingPlace& at : layout->tx) tx_.push_back({at, detail::load(at.ring->head), {}});
    for (const RingPlace& at : layout->rx) rx_.push_back({at, detail::load(at.ring->head), {}});
    return region;
  }

  SyncStatus sync_tx() noexcept override { return sync(tx_, abi::ioctl_number::txsync); }
  SyncStatus sync_rx() noexcept override { return sync(rx_, abi::ioctl_number::rxsync); }

  [[nodiscard]] detail::Ledger& ledger(Direction direction, std::size_t n) noexcept override {
    auto& rings = direction == Direction::tx ? tx_ : rx_;
    return n < rings.size() ? rings[n].ledger : nothing_;
  }

  [[nodiscard]] WaitHandle wait_handle(Direction direction) const noexcept override {
    return {.fd = file_.fd(),
            .events = static_cast<short>(direction == Direction::tx ? POLLOUT : POLLIN),
            .syncs = true,
            .news = news_.fd()};
  }

  /// Linux's module polls so; but of several tx rings it passes over those that have nothing to
  /// send once one has room. FreeBSD's does not send if there is room already.
  [[nodiscard]] bool poll_syncs(Directions directions) const noexcept override {
    return os::is_linux && (!directions.has(Direction::tx) || tx_.size() <= 1);
  }
  void arm(Directions directions) noexcept override {
    if (directions.has(Direction::tx)) std::ranges::for_each(tx_, count_moved);
    if (directions.has(Direction::rx)) std::ranges::for_each(rx_, count_moved);
  }
  void disarm(Directions) noexcept override {}

 private:
  /// Does nothing for ports that are no interfaces. The module wakes nobody when an interface goes.
  void watch(const std::string& name) {
    if (auto news = os::watch_deletion(name)) news_ = std::move(*news);
  }

  SyncStatus sync(std::vector<CountedRing>& rings, unsigned long number) noexcept {
    const bool possible = std::ranges::all_of(rings, is_possible);
    std::ranges::for_each(rings, count_moved);
    if (auto done = os::ioctl(file_.fd(), number, nullptr); !done) {
      return done.error() == std::errc::io_error ? SyncStatus(errc::interface_gone)
                                                 : SyncStatus(done.error());
    }
    return possible ? SyncStatus() : SyncStatus(errc::ring_corrupt);
  }

  os::File file_;
  os::File news_;
  std::string external_file_;
  std::shared_ptr<Region> external_;
  abi::nmreq_register registered_{};
  bool is_without_offsets_ = false;
  std::vector<CountedRing> tx_;
  std::vector<CountedRing> rx_;
  detail::Ledger nothing_;  ///< of rings that were not there when the device looked
};

}  // namespace

bool is_present() noexcept {
  return os::exists(abi::device_path);
}

Result<OpenDevice> open_device(const DeviceOptions&, const PortName& name) {
  auto file = open_file();
  if (!file) return std::unexpected(file.error());
  return OpenDevice{
      std::make_unique<KernelDevice>(std::move(*file), name.extmem ? name.extmem->file : ""),
      DeviceKind::kernel,
      {}};
}

std::unique_ptr<Device> adopt(os::File file, const std::string& name,
                              const abi::nmreq_register& registered) {
  return std::make_unique<KernelDevice>(std::move(file), name, registered);
}

}  // namespace netmap::kernel
