// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/vale_port.hpp"

#include "device/embedded/delivery.hpp"
#include "device/embedded/vale.hpp"
#include "point.hpp"

#include <algorithm>
#include <utility>

namespace netmap::embedded {
namespace {

RingPlace place_of(const Memory& memory, std::uint32_t object, std::uint32_t slots) {
  abi::netmap_ring& ring = memory.ring(object);
  const auto mailbox = Mailbox::in(memory, object, slots);
  return {&ring,
          {{abi::slots_of(ring), mailbox.size}, mailbox.buffers, {}},
          detail::load(ring.ringid),
          false};
}

}  // namespace

ValePort::ValePort(std::shared_ptr<Domain> domain, const Memory& memory, std::uint32_t endpoint)
    : domain_(std::move(domain)),
      record_(&domain_->state().endpoints[endpoint]),
      peers_(domain_, domain_->state().switch_of(*record_), record_->port),
      last_source_(std::make_unique<std::uint64_t>(0)) {
  Switch& vale = domain_->state().switch_of(*record_);
  const SwitchPort& port = domain_->state().port_of(*record_);
  const PortShape shape = shape_of(port);
  const std::uint16_t own = owner::of(endpoint, record_->epoch);
  const auto unit =
      record_->vale == monitors ? ValeReceiver::Unit::slot : ValeReceiver::Unit::packet;
  const RingRange tx = record_->tx;
  const RingRange rx = record_->rx;
  for (std::uint32_t k = tx.first; k < std::min(tx.end(), max_switch_rings); ++k) {
    const std::uint32_t object = tx_object(port, k);
    senders_.emplace_back(place_of(memory, object, shape.tx_slots), memory.words(object), vale,
                          record_->port, k, own, *last_source_);
  }
  for (std::uint32_t k = rx.first; k < std::min(rx.end(), max_monitor_rings); ++k) {
    const std::uint32_t object = rx_object(port, k);
    receivers_.emplace_back(place_of(memory, object, shape.rx_slots), memory.words(object),
                            Mailbox::in(memory, mailbox_object(port, k), shape.rx_slots), own,
                            unit);
  }
}

SyncStatus ValePort::sync_tx(Ringer& ringer) noexcept {
  SyncStatus done;
  if (std::ranges::none_of(senders_, &ValeSender::has_news)) return done;
  const Delivery delivery(*record_, ringer);
  peers_.refresh();
  for (ValeSender& sender : senders_) {
    const SyncStatus sent = sender.sync(peers_, ringer);
    if (!sent.is_ok()) done = sent;
  }
  return done;
}

SyncStatus ValePort::sync_rx() noexcept {
  SyncStatus done;
  for (ValeReceiver& receiver : receivers_) {
    const SyncStatus taken = receiver.sync(domain_->state());
    if (!taken.is_ok()) done = taken;
  }
  return done;
}

SlotRange ValePort::handed_over(Direction direction, std::size_t n) noexcept {
  if (direction == Direction::tx) {
    return n < senders_.size() ? senders_[n].handed_over() : SlotRange();
  }
  return n < receivers_.size() ? receivers_[n].handed_over() : SlotRange();
}

void ValePort::serve(Direction direction, std::size_t n, abi::netmap_ring& user) noexcept {
  if (direction == Direction::tx && n < senders_.size()) senders_[n].serve(user);
  if (direction == Direction::rx && n < receivers_.size()) receivers_[n].serve(user);
}

detail::Ledger& ValePort::ledger(Direction direction, std::size_t n) noexcept {
  if (direction == Direction::tx) return n < senders_.size() ? senders_[n].ledger() : nothing_;
  return n < receivers_.size() ? receivers_[n].ledger() : nothing_;
}

bool ValePort::is_empty() const noexcept {
  return std::ranges::all_of(receivers_, &ValeReceiver::is_empty);
}

std::uint64_t ValePort::dropped() const noexcept {
  std::uint64_t sum = 0;
  for (const ValeReceiver& receiver : receivers_) sum += receiver.dropped();
  return sum;
}

bool ValePort::is_raw() noexcept {
  const auto has_raw = [](auto& ring) { return ring.ledger().is_raw; };
  return std::ranges::any_of(senders_, has_raw) || std::ranges::any_of(receivers_, has_raw);
}

}  // namespace netmap::embedded
