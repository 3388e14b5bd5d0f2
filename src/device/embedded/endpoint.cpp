// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/endpoint.hpp"

#include "device/embedded/collect.hpp"
#include "device/embedded/embedded.hpp"
#include "device/embedded/options.hpp"
#include "device/embedded/requests.hpp"

#include <poll.h>

namespace netmap::embedded {

Result<OpenDevice> open_device(const DeviceOptions& options) {
  auto domain = Domain::at(options.domain);
  if (!domain) return std::unexpected(domain.error());
  const std::string path = (*domain)->path();
  return OpenDevice{std::make_unique<Endpoint>(std::move(*domain)), DeviceKind::embedded, path};
}

/// Letting go of the bell is what closes an endpoint; if the lock cannot be had, the next process
/// that opens a port collects what is left.
Endpoint::~Endpoint() {
  if (!binding_) return;
  binding_.reset();
  if (const auto locked = domain_->lock()) (void)collect(*domain_);
}

Result<> Endpoint::control(abi::nmreq_header& request) {
  if (auto checked = check_request(request); !checked) return checked;
  const auto locked = domain_->lock();
  if (!locked) return std::unexpected(locked.error());
  if (auto collected = collect(*domain_); !collected) return collected;
  if (request.nr_reqtype != abi::request::port_register) return answer(*domain_, request);
  if (binding_) {
    return refuse(std::errc::device_or_resource_busy, "the descriptor is registered already");
  }
  auto binding = register_port(*domain_, request);
  if (!binding) {
    (void)collect(*domain_);
    return std::unexpected(binding.error());
  }
  binding_ = std::move(*binding);
  return {};
}

Result<std::shared_ptr<Region>> Endpoint::map() {
  if (!binding_) return refuse(std::errc::invalid_argument, "the descriptor is not registered");
  return binding_->memory->region();
}

SyncStatus Endpoint::sync(Direction direction) noexcept {
  if (!binding_) return std::make_error_code(std::errc::no_such_device_or_address);
  return direction == Direction::tx ? send() : receive();
}

SyncStatus Endpoint::send() noexcept {
  for (PipeSender& sender : binding_->senders) {
    const Step step = sender.sync();
    if (step == Step::corrupt) [[unlikely]] return errc::ring_corrupt;
    if (step == Step::idle) continue;
    ringer_.publish_barrier();
    auto& sleepers = sender.words().rx_sleepers;
    if (sleepers.load(std::memory_order_relaxed) != 0) [[unlikely]] {
      ringer_.wake(sleepers, Direction::rx);
    }
  }
  return {};
}

SyncStatus Endpoint::receive() noexcept {
  for (PipeReceiver& receiver : binding_->receivers) {
    const Step step = receiver.sync();
    if (step == Step::corrupt) [[unlikely]] return errc::ring_corrupt;
    if (step == Step::idle) continue;
    ringer_.publish_barrier();
    RingWords& words = receiver.words();
    if (words.tx_sleepers.load(std::memory_order_relaxed) != 0 &&
        receiver.free_slots() >= words.tx_wanted.load(std::memory_order_relaxed)) [[unlikely]] {
      ringer_.wake(words.tx_sleepers, Direction::tx);
    }
  }
  return {};
}

detail::Ledger& Endpoint::ledger(Direction direction, std::size_t n) noexcept {
  auto& [endpoint, bell, memory, senders, receivers, nothing] = *binding_;
  if (direction == Direction::tx) return n < senders.size() ? senders[n].ledger() : nothing;
  return n < receivers.size() ? receivers[n].ledger() : nothing;
}

WaitHandle Endpoint::wait_handle(Direction direction) const noexcept {
  if (!binding_) return {};
  return {.fd = binding_->bell.fifo(direction).fd(), .events = POLLIN};
}

bool Endpoint::arm(Directions directions, std::uint32_t free_slots) noexcept {
  if (!binding_) return false;
  const EndpointRecord& self = domain_->state().endpoints[binding_->endpoint];
  const std::uint64_t mark = std::uint64_t{binding_->endpoint + 1} << (16 * self.lane);
  if (directions.has(Direction::rx)) {
    for (PipeReceiver& receiver : binding_->receivers) receiver.words().rx_sleepers |= mark;
  }
  if (directions.has(Direction::tx)) {
    for (PipeSender& sender : binding_->senders) {
      sender.words().tx_wanted = self.exclusive ? free_slots : 1;
      sender.words().tx_sleepers |= mark;
    }
  }
  ringer_.sleep_barrier();
  return true;
}

void Endpoint::disarm(Directions directions) noexcept {
  if (!binding_) return;
  const EndpointRecord& self = domain_->state().endpoints[binding_->endpoint];
  const std::uint64_t lane = std::uint64_t{0xffff} << (16 * self.lane);
  // A mark that is gone was taken by somebody who rings.
  bool was_rung = false;
  if (directions.has(Direction::rx)) {
    for (PipeReceiver& receiver : binding_->receivers) {
      was_rung |= (receiver.words().rx_sleepers.fetch_and(~lane) & lane) == 0;
    }
    if (was_rung) os::hush(binding_->bell.fifo(Direction::rx));
  }
  was_rung = false;
  if (directions.has(Direction::tx)) {
    for (PipeSender& sender : binding_->senders) {
      was_rung |= (sender.words().tx_sleepers.fetch_and(~lane) & lane) == 0;
    }
    if (was_rung) os::hush(binding_->bell.fifo(Direction::tx));
  }
}

}  // namespace netmap::embedded
