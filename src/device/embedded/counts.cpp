// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/counts.hpp"

#include "device/embedded/mailbox.hpp"
#include "device/embedded/memory.hpp"
#include "device/embedded/pipe.hpp"
#include "device/embedded/vale.hpp"

#include <algorithm>

namespace netmap::embedded {
namespace {

void add(RingStats& to, const RingWords& words) {
  to.packets += words.packets.load(std::memory_order_relaxed);
  to.bytes += words.bytes.load(std::memory_order_relaxed);
}

/// Each direction has one count, its sender's: nothing is lost between.
PortCounts counts_of(const PipeRecord& pipe, const Memory& memory, const EndpointRecord& endpoint) {
  const PortShape shape = shape_of(pipe, endpoint.end);
  const RingRange tx = endpoint.tx;
  const RingRange rx = endpoint.rx;
  PortCounts counts;
  for (std::uint32_t k = tx.first; k < std::min<std::uint32_t>(tx.end(), shape.tx_rings); ++k) {
    add(counts.tx, memory.words(tx_object(pipe, endpoint.end, k)));
  }
  for (std::uint32_t k = rx.first; k < std::min<std::uint32_t>(rx.end(), shape.rx_rings); ++k) {
    add(counts.rx, memory.words(tx_object(pipe, other(endpoint.end), k)));
  }
  return counts;
}

PortCounts counts_of(const SwitchPort& port, const Memory& memory, const EndpointRecord& endpoint) {
  const PortShape shape = shape_of(port);
  const RingRange tx = endpoint.tx;
  const RingRange rx = endpoint.rx;
  PortCounts counts;
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

}  // namespace

PortCounts counts_of(const DomainState& state, const Memory& memory,
                     const EndpointRecord& endpoint) {
  if (endpoint.vale != no_switch) return counts_of(state.port_of(endpoint), memory, endpoint);
  return counts_of(state.pipe_of(endpoint), memory, endpoint);
}

}  // namespace netmap::embedded
