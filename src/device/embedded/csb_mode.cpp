// SPDX-License-Identifier: BSD-2-Clause
//
// Endpoints in CSB mode, whose rings a loop syncs.
#include "device/embedded/endpoint.hpp"
#include "device/embedded/options.hpp"
#include "device/embedded/resolve.hpp"

#include <algorithm>

namespace netmap::embedded {

Result<> Endpoint::enable_csb(const abi::nmreq_header& request) {
  auto* const arrays = find_option<abi::nmreq_opt_csb>(request, abi::option::csb);
  if (arrays == nullptr) {
    return refuse(std::errc::invalid_argument, "CSB mode needs the option with its arrays");
  }
  if (!binding_) {  // as the module has it
    arrays->nro_opt.nro_status = 0;
    return {};
  }
  if (loop_ && loop_->is_running()) {
    return refuse(std::errc::device_or_resource_busy, "the sync loop of this port runs already");
  }
  const EndpointRecord& record = domain_->state().endpoints[binding_->endpoint];
  if (auto checked = SyncLoop::check(*arrays, record.exclusive); !checked) return checked;
  start_csb(*arrays);
  return {};
}

void Endpoint::start_csb(const abi::nmreq_opt_csb& arrays) {
  own().is_raw = true;
  Taps taps(domain_, binding_->memory, binding_->endpoint);
  if (own().pipe != no_pipe) {
    loop_ = std::make_unique<SyncLoopOf<PipeSender, PipeReceiver>>(
        arrays, binding_->senders, binding_->receivers, std::move(taps), own().is_watched);
  } else {
    static constexpr std::atomic<std::uint8_t> by_the_port{0};
    loop_ = std::make_unique<SyncLoopOf<PortSender, PortReceiver>>(
        arrays, sides_of<PortSender>(own().tx, true), sides_of<PortReceiver>(own().rx, false),
        std::move(taps), by_the_port);
  }
  care_ = &always;
}

template <class Side>
std::vector<Side> Endpoint::sides_of(RingRange rings, bool is_tx) {
  std::vector<Side> sides;
  for (std::uint32_t k = rings.first; k < std::min(rings.end(), max_rings); ++k) {
    const std::uint32_t object = ring_object(domain_->state(), own(), is_tx, k);
    sides.emplace_back(*this, sides.size(), binding_->memory->ring(object));
  }
  return sides;
}

Result<> Endpoint::run_loop(const abi::nmreq_header& request) {
  const auto& body = *reinterpret_cast<const abi::nmreq_sync_kloop_start*>(
      static_cast<std::uintptr_t>(request.nr_body));
  if (body.sleep_us > abi::max_kloop_sleep_us) {
    return refuse(std::errc::invalid_argument, "a sync loop pauses for a second at most");
  }
  if (!binding_) {
    return refuse(std::errc::no_such_device_or_address, "the descriptor is not registered");
  }
  if (!loop_) return refuse(std::errc::invalid_argument, "the port is not in CSB mode");
  return loop_->run(request, *this, ringer_);
}

Result<> Endpoint::stop_loop() {
  if (!binding_) {
    return refuse(std::errc::no_such_device_or_address, "the descriptor is not registered");
  }
  if (!loop_) return {};
  loop_->ask_to_stop();
  Bell::ring(*domain_, binding_->endpoint);
  loop_->await_end();
  return {};
}

}  // namespace netmap::embedded
