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

/// Whether the module will take the ring as it is. Impossible positions it resets ("ring reinit"),
/// and says so nowhere but in the system's log.
bool is_possible(const RingPlace& at) noexcept {
  return detail::load(at.ring->head) < at.bounds.num_slots &&
         detail::load(at.ring->cur) < at.bounds.num_slots;
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

  Result<std::shared_ptr<Region>> map() override {
    auto region = map_region(registered_.nr_mem_id);
    if (!region) return region;
    auto layout = find_rings((*region)->bytes(), registered_.nr_offset);
    if (!layout) return std::unexpected(layout.error());
    tx_ = std::move(layout->tx);
    rx_ = std::move(layout->rx);
    return region;
  }

  std::error_code sync(Direction direction) noexcept override {
    const bool tx = direction == Direction::tx;
    const bool possible = std::ranges::all_of(tx ? tx_ : rx_, is_possible);
    const auto number = tx ? abi::ioctl_number::txsync : abi::ioctl_number::rxsync;
    if (auto done = os::ioctl(file_.fd(), number, nullptr); !done) return done.error();
    return possible ? std::error_code() : make_error_code(errc::ring_corrupt);
  }

  [[nodiscard]] WaitHandle wait_handle(Direction direction) const noexcept override {
    return {file_.fd(), static_cast<short>(direction == Direction::tx ? POLLOUT : POLLIN)};
  }

  bool arm(Directions, std::uint32_t) noexcept override { return false; }
  void disarm(Directions) noexcept override {}

 private:
  os::File file_;
  abi::nmreq_register registered_;
  std::vector<RingPlace> tx_;
  std::vector<RingPlace> rx_;
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
