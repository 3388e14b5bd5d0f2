// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/offsets.hpp"

#include "device/embedded/mailbox.hpp"
#include "device/embedded/options.hpp"
#include "device/embedded/pipe.hpp"
#include "device/embedded/vale.hpp"
#include "point.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace netmap::embedded {
namespace {

/// One ring of the endpoint; of a pipe, also the other end's ring that it leads to or comes from.
struct BoundRing {
  std::uint32_t object;
  std::optional<std::uint32_t> twin;
  std::optional<PipeRing> pipe;
  bool is_shared;
  bool is_fed;  ///< the other end may be writing to its slots, once it was opened
};

std::vector<BoundRing> rings_of_pipe(const DomainState& state, const Memory& memory,
                                     const EndpointRecord& endpoint) {
  const PipeRecord& pipe = state.pipe_of(endpoint);
  const End end = endpoint.end;
  const RingRange tx = endpoint.tx;
  const RingRange rx = endpoint.rx;
  std::vector<BoundRing> rings;
  for (std::uint16_t k = tx.first; k < std::min(tx.end(), max_rings); ++k) {
    rings.push_back({tx_object(pipe, end, k), rx_object(pipe, other(end), k),
                     pipe_ring(pipe, memory, end, k),
                     is_shared(state, endpoint, &EndpointRecord::tx, k), false});
  }
  for (std::uint16_t k = rx.first; k < std::min(rx.end(), max_rings); ++k) {
    rings.push_back({rx_object(pipe, end, k), tx_object(pipe, other(end), k),
                     pipe_ring(pipe, memory, other(end), k),
                     is_shared(state, endpoint, &EndpointRecord::rx, k), true});
  }
  return rings;
}

std::vector<BoundRing> rings_of_vale(const DomainState& state, const EndpointRecord& endpoint) {
  const SwitchPort& port = state.port_of(endpoint);
  const RingRange tx = endpoint.tx;
  const RingRange rx = endpoint.rx;
  std::vector<BoundRing> rings;
  for (std::uint16_t k = tx.first; k < std::min(tx.end(), max_switch_rings); ++k) {
    rings.push_back(
        {tx_object(port, k), {}, {}, is_shared(state, endpoint, &EndpointRecord::tx, k), false});
  }
  for (std::uint16_t k = rx.first; k < std::min(rx.end(), max_monitor_rings); ++k) {
    rings.push_back(
        {rx_object(port, k), {}, {}, is_shared(state, endpoint, &EndpointRecord::rx, k), false});
  }
  return rings;
}

/// Which have one user, whose slots are all empty.
std::vector<BoundRing> rings_of_nic(const NicRecord& nic, const EndpointRecord& endpoint) {
  const RingRange tx = endpoint.tx;
  const RingRange rx = endpoint.rx;
  std::vector<BoundRing> rings;
  for (std::uint32_t k = tx.first; k < std::min(tx.end(), max_queues); ++k) {
    rings.push_back({nic.queues[k].tx, {}, {}, false, false});
  }
  for (std::uint32_t k = rx.first; k < std::min(rx.end(), max_queues); ++k) {
    rings.push_back({nic.queues[k].rx, {}, {}, false, false});
  }
  return rings;
}

/// Where packets will begin that senders put into the mailboxes of rings that nobody else has open.
void write_offset_to_mailboxes(const DomainState& state, const Memory& memory,
                               const EndpointRecord& endpoint, std::uint64_t initial) {
  if (endpoint.vale == no_switch) return;
  const SwitchPort& port = state.port_of(endpoint);
  const RingRange rx = endpoint.rx;
  for (std::uint16_t k = rx.first; k < std::min(rx.end(), max_monitor_rings); ++k) {
    if (is_shared(state, endpoint, &EndpointRecord::rx, k)) continue;
    Mailbox::in(memory, mailbox_object(port, k), port.rx_slots).set_offset(initial);
  }
}

std::vector<BoundRing> rings_of(const DomainState& state, const Memory& memory,
                                const EndpointRecord& endpoint) {
  if (endpoint.pipe != no_pipe) return rings_of_pipe(state, memory, endpoint);
  if (endpoint.vale != no_switch) return rings_of_vale(state, endpoint);
  if (endpoint.nic != no_nic) return rings_of_nic(state.nic_of(endpoint), endpoint);
  std::vector<BoundRing> rings;
  const std::uint32_t count = endpoint.tx.count + std::uint32_t{endpoint.rx.count};
  for (std::uint32_t i = 0; i != std::min(count, 2 * max_rings); ++i) {
    rings.push_back({endpoint.first_ring + i, {}, {}, false, false});
  }
  return rings;
}

/// The mask of what is asked for, or why it cannot be.
Result<std::uint64_t> mask_of(const abi::nmreq_opt_offsets& asked, std::uint32_t buffer_bytes) {
  constexpr auto invalid = std::errc::invalid_argument;
  const std::uint64_t max = asked.nro_max_offset;
  if (asked.nro_offset_bits > 64) {
    return refuse(
        invalid, "a data offset has at most 64 bits, not " + std::to_string(asked.nro_offset_bits));
  }
  const bool is_all = asked.nro_offset_bits % 64 == 0;
  const std::uint64_t mask = is_all ? UINT64_MAX : (std::uint64_t{1} << asked.nro_offset_bits) - 1;
  if (max > buffer_bytes) {
    return refuse(invalid, "a data offset of " + std::to_string(max) +
                               " bytes does not fit a buffer of " + std::to_string(buffer_bytes));
  }
  if ((max & mask) != max) {
    return refuse(invalid, "a data offset of " + std::to_string(max) + " bytes does not fit " +
                               std::to_string(asked.nro_offset_bits) + " bits");
  }
  if (asked.nro_initial_offset > max) {
    return refuse(invalid, "the initial data offset, " + std::to_string(asked.nro_initial_offset) +
                               ", is larger than the largest, " + std::to_string(max));
  }
  return mask;
}

/// What rings that are in use already allow; yields nothing if that is less than asked for.
bool settle(const Memory& memory, const std::vector<BoundRing>& rings, detail::Offsets& offsets) {
  for (const BoundRing& ring : rings) {
    const RingWords& words = memory.words(ring.object);
    if (words.offset_mask == 0) continue;
    if ((words.offset_mask & offsets.mask) != offsets.mask || words.max_offset < offsets.max) {
      return false;
    }
    offsets = {words.offset_mask, words.max_offset};
  }
  return true;
}

/// Sets the offset of every slot that holds no packet.
void write_offset(const Memory& memory, const BoundRing& ring, abi::netmap_ring& into,
                  const detail::Offsets& offsets, std::uint64_t initial) {
  const std::uint32_t size = std::min(detail::load(into.num_slots), slots_of_ring(memory.pools()));
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  if (ring.pipe) {
    first = ring.pipe->slot_of(ring.pipe->words->returned);
    last = ring.pipe->slot_of(detail::load(ring.pipe->tx->head));
  }
  NETMAP_POINT("offsets: looked");
  for (std::uint32_t slot = 0; slot != size; ++slot) {
    const bool is_full = ring.pipe && slot != last && ring.pipe->is_between(first, slot, last);
    if (!is_full) offsets.store_to(abi::slots_of(into)[slot], initial);
  }
}

void apply(const Memory& memory, const BoundRing& ring, const detail::Offsets& offsets,
           std::uint64_t initial) {
  RingWords& words = memory.words(ring.object);
  if (words.offset_mask == 0) {
    words.max_offset = offsets.max;
    words.offset_mask = memory.ring(ring.object).offset_mask = offsets.mask;
  }
  if (initial == 0 || ring.is_shared) return;
  if (!ring.is_fed || !words.was_bound) {
    write_offset(memory, ring, memory.ring(ring.object), offsets, initial);
  }
  if (ring.twin && !words.was_bound) {
    write_offset(memory, ring, memory.ring(*ring.twin), offsets, initial);
  }
  NETMAP_POINT("offsets: written");
}

/// The other end's ring learns of the offsets, but is not held to them.
void bind(const Memory& memory, const BoundRing& ring) {
  RingWords& words = memory.words(ring.object);
  if (!ring.twin || words.was_bound) return;
  memory.ring(*ring.twin).offset_mask = memory.ring(ring.object).offset_mask;
  NETMAP_POINT("offsets: told to the twin");
  words.was_bound = memory.words(*ring.twin).was_bound = true;
}

}  // namespace

Result<std::optional<DataOffset>> asked_offset(const abi::nmreq_header& request,
                                               const Memory& memory) {
  auto* const asked = find_option<abi::nmreq_opt_offsets>(request, abi::option::offsets);
  if (asked == nullptr) return std::nullopt;
  if (const auto mask = mask_of(*asked, memory.pools().buffers.object_bytes); !mask) {
    asked->nro_opt.nro_status = static_cast<std::uint32_t>(std::errc::invalid_argument);
    return std::unexpected(mask.error());
  }
  return DataOffset{asked->nro_initial_offset, asked->nro_offset_bits, asked->nro_max_offset};
}

Result<> set_offsets(const abi::nmreq_header& request, const DomainState& state, Memory& memory,
                     const EndpointRecord& endpoint) {
  const auto rings = rings_of(state, memory, endpoint);
  auto* const asked = find_option<abi::nmreq_opt_offsets>(request, abi::option::offsets);
  if (asked != nullptr) {
    const auto answer = [&](std::errc code) {
      asked->nro_opt.nro_status = static_cast<std::uint32_t>(code);
    };
    if (endpoint.vale == monitors && state.port_of(endpoint).takes_buffers != 0) {
      answer(std::errc::operation_not_supported);
      return refuse(std::errc::operation_not_supported,
                    "a monitor without copies shows packets where they are, and cannot have data "
                    "offsets of its own");
    }
    const auto mask = mask_of(*asked, memory.pools().buffers.object_bytes);
    answer(std::errc::invalid_argument);
    if (!mask) return std::unexpected(mask.error());
    detail::Offsets offsets{*mask, asked->nro_max_offset};
    answer(std::errc::device_or_resource_busy);
    if (!settle(memory, rings, offsets)) {
      return refuse(std::errc::device_or_resource_busy,
                    "a ring is in use with smaller data offsets, or fewer bits for them");
    }
    for (const BoundRing& ring : rings) apply(memory, ring, offsets, asked->nro_initial_offset);
    write_offset_to_mailboxes(state, memory, endpoint, asked->nro_initial_offset);
    asked->nro_max_offset = offsets.max;
    answer(std::errc{});
  }
  for (const BoundRing& ring : rings) bind(memory, ring);
  return {};
}

}  // namespace netmap::embedded
