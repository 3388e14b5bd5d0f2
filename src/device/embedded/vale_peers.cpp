// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/vale_peers.hpp"

#include "device/embedded/vale.hpp"

#include <utility>

namespace netmap::embedded {

ValePeers::ValePeers(std::shared_ptr<Domain> domain, const Switch& vale, std::uint16_t own)
    : domain_(std::move(domain)),
      vale_(&vale),
      own_(own % max_switch_ports),
      number_(static_cast<std::uint16_t>(&vale - domain_->state().switches)),
      is_alone_(number_ >= unattached),
      changes_(vale.changes - 1),
      peers_(max_switch_ports) {
  ports_.reserve(max_switch_ports);
}

void ValePeers::look(std::uint32_t changes) noexcept {
  ports_.clear();
  for (std::uint16_t index = 0; index != max_switch_ports; ++index) {
    const SwitchPort& port = vale_->ports[index];
    const bool is_there =
        !is_alone_ && port.presence.load(std::memory_order_acquire) == SwitchPort::there;
    peers_[index] = is_there && index != own_ ? find(index) : Peer();
    if (peers_[index].rings != 0) ports_.push_back(index);
  }
  header_bytes_ = vale_->ports[own_].header_bytes;
  changes_ = changes;
}

ValePeers::Peer ValePeers::find(std::uint16_t index) const {
  const SwitchPort& port = vale_->ports[index];
  const std::uint64_t open = port.rx_open.load(std::memory_order_acquire);
  if (open == 0) return {};
  auto memory = Memory::existing(*domain_, port.memory_id);
  if (!memory) return {};
  const PortShape shape = shape_of(port);
  Peer peer{std::move(*memory), shape.rx_rings, std::vector<ValeOutlet>(shape.rx_rings)};
  for (std::uint32_t k = 0; k != shape.rx_rings; ++k) {
    if ((open >> k & 1) == 0) continue;
    peer.outlets[k] = {Mailbox::in(*peer.memory, mailbox_object(port, k), shape.rx_slots),
                       &peer.memory->words(rx_object(port, k)), port.header_bytes,
                       find_copiers(*domain_, {.vale = number_, .port = index}, Direction::rx, k)};
  }
  return peer;
}

}  // namespace netmap::embedded
