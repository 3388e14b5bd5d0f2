// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/vale_counts.hpp"

#include "device/embedded/mailbox.hpp"
#include "device/embedded/vale.hpp"

#include <algorithm>

namespace netmap::embedded {
namespace {

void add(RingStats& to, const RingWords& words) {
  to.packets += words.packets.load(std::memory_order_relaxed);
  to.bytes += words.bytes.load(std::memory_order_relaxed);
}

}  // namespace

SwitchCounts counts_of(const DomainState& state, const Memory& memory,
                       const EndpointRecord& endpoint) {
  const SwitchPort& port = state.port_of(endpoint);
  const PortShape shape = shape_of(port);
  const RingRange tx = endpoint.tx;
  const RingRange rx = endpoint.rx;
  SwitchCounts counts;
  for (std::uint32_t k = tx.first; k < std::min<std::uint32_t>(tx.end(), shape.tx_rings); ++k) {
    add(counts.tx, memory.words(tx_object(port, k)));
  }
  for (std::uint32_t k = rx.first; k < std::min<std::uint32_t>(rx.end(), shape.rx_rings); ++k) {
    add(counts.rx, memory.words(rx_object(port, k)));
    const auto mailbox = Mailbox::in(memory, mailbox_object(port, k), shape.rx_slots);
    counts.dropped += mailbox.words->dropped.load(std::memory_order_relaxed);
  }
  return counts;
}

}  // namespace netmap::embedded
