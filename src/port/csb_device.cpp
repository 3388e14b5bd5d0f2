// SPDX-License-Identifier: BSD-2-Clause
#include "port/csb_device.hpp"

#include "port/request.hpp"

#include <utility>

namespace netmap {

CsbDevice::CsbDevice(std::unique_ptr<Device> device, const Layout& layout)
    : device_(std::move(device)),
      tx_rings_(layout.tx.size()),
      to_loop_(layout.tx.size() + layout.rx.size()),
      from_loop_(to_loop_.size()) {
  const auto add = [this](Direction direction, const std::vector<RingPlace>& rings) {
    for (std::size_t n = 0; n != rings.size(); ++n) {
      lines_.push_back(
          {rings[n], &device_->ledger(direction, n), detail::load(rings[n].ring->head)});
    }
  };
  add(Direction::tx, layout.tx);
  add(Direction::rx, layout.rx);
}

Result<> CsbDevice::enable() {
  abi::nmreq_opt_csb arrays{};
  arrays.csb_atok = reinterpret_cast<std::uintptr_t>(to_loop_.data());
  arrays.csb_ktoa = reinterpret_cast<std::uintptr_t>(from_loop_.data());
  auto header = make_request(abi::request::csb_enable, "", nullptr);
  add_option(header, arrays.nro_opt, abi::option::csb);
  if (auto enabled = device_->control(header); !enabled) return enabled;
  const auto status = static_cast<int>(arrays.nro_opt.nro_status);
  if (status == 0) return {};
  return std::unexpected(Error(std::error_code(status, std::system_category())));
}

Result<> CsbDevice::control(abi::nmreq_header& request) {
  if (request.nr_reqtype != abi::request::csb_enable) return device_->control(request);
  return std::unexpected(
      Error(std::make_error_code(std::errc::device_or_resource_busy), "it is in CSB mode already"));
}

SyncStatus CsbDevice::exchange(std::size_t first, std::size_t end) noexcept {
  bool is_sound = true;
  for (; first != end; ++first) is_sound &= exchange(first);
  return is_sound ? SyncStatus() : SyncStatus(errc::ring_corrupt);
}

/// The one place where a ring's tail is stored by its user: in CSB mode nobody else does. cur goes
/// before head, and hwtail comes before whatever it lets the program do.
bool CsbDevice::exchange(std::size_t n) noexcept {
  auto& [at, ledger, upto] = lines_[n];
  const auto& slots = at.bounds.slots;
  const std::uint32_t head = detail::load(at.ring->head);
  const std::uint32_t cur = detail::load(at.ring->cur);
  if (head >= slots.size() || cur >= slots.size()) return false;
  detail::count(ledger->stats, slots, std::exchange(upto, head), head);
  detail::store(to_loop_[n].cur, cur);
  __atomic_store_n(&to_loop_[n].head, head, __ATOMIC_RELEASE);
  const std::uint32_t tail = __atomic_load_n(&from_loop_[n].hwtail, __ATOMIC_ACQUIRE);
  if (tail >= slots.size()) return false;
  detail::store(at.ring->tail, tail);
  return true;
}

}  // namespace netmap
