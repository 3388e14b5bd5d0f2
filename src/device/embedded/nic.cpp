// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/nic.hpp"

#include "device/embedded/options.hpp"
#include "device/embedded/recount.hpp"
#include "device/embedded/vale.hpp"
#include "point.hpp"

#include <string>
#include <utility>
#include <vector>

namespace netmap::embedded {
namespace {

/// use(queue, its number, is_tx) for each of the endpoint's rings; Nic is NicRecord, const or not.
template <class Nic, class Use>
void for_each_ring(Nic& nic, const EndpointRecord& endpoint, Use&& use) {
  const auto end = [](RingRange rings) { return std::min(rings.end(), max_queues); };
  const RingRange tx = endpoint.tx;
  const RingRange rx = endpoint.rx;
  for (std::uint32_t k = tx.first; k < end(tx); ++k) use(nic.queues[k], k, true);
  for (std::uint32_t k = rx.first; k < end(rx); ++k) use(nic.queues[k], k, false);
}

template <class Queue>
auto& object_of(Queue& queue, bool is_tx) {
  return is_tx ? queue.tx : queue.rx;
}
template <class Queue>
auto& was_left(Queue& queue, bool is_tx) {
  return is_tx ? queue.tx_was_left : queue.rx_was_left;
}

std::uint32_t slots_of(const NicRecord& nic, bool is_tx) {
  return std::clamp(is_tx ? nic.tx_slots : nic.rx_slots, 2U, max_slots);
}

std::uint16_t rings_for(std::uint32_t queues) {
  return static_cast<std::uint16_t>(std::min(queues, max_queues));
}

Result<std::uint32_t> make_ring(Memory& memory, std::uint32_t slots) {
  const auto object = memory.take_rings(1, slots);
  if (!object) return object;
  if (auto given = give_buffers(memory, *object, slots); !given) {
    memory.give_back_rings(*object, 1);
    return std::unexpected(given.error());
  }
  NETMAP_POINT("nic: ring made");
  return object;
}

void drop_ring(Memory& memory, std::uint32_t& object, std::uint32_t slots) {
  const abi::netmap_slot* const first = abi::slots_of(memory.ring(object));
  for (std::uint32_t slot = 0; slot != slots; ++slot) memory.give_back_buffer(first[slot].buf_idx);
  memory.give_back_rings(std::exchange(object, no_object), 1);
}

Result<> prepare_ring(Memory& memory, NicRecord::Queue& queue, std::uint32_t k, bool is_tx,
                      std::uint32_t slots) {
  std::uint32_t& object = object_of(queue, is_tx);
  if (object == no_object) {
    const auto made = make_ring(memory, slots);
    if (!made) return std::unexpected(made.error());
    object = *made;
  } else if (slots > slots_of_ring(memory.pools())) {
    return std::unexpected(damaged("an interface's record"));
  } else if (was_left(queue, is_tx)) {
    if (auto given = give_buffers(memory, object, slots); !given) return given;
  }
  NETMAP_POINT("nic: buffers given");
  was_left(queue, is_tx) = false;
  empty_ring(memory, object, k, is_tx, slots);
  NETMAP_POINT("nic: ring prepared");
  return {};
}

}  // namespace

bool is_nic_name(std::string_view name) {
  return !name.empty() && !parse_pipe(name) && !is_vale_name(name);
}

std::optional<std::uint16_t> find_nic(const DomainState& state, const os::Interface& interface) {
  const auto found = std::ranges::find_if(state.nics, [&](const NicRecord& nic) {
    return nic.in_use != 0 && nic.network == interface.network && nic.interface == interface.index;
  });
  if (found == std::end(state.nics)) return {};
  return static_cast<std::uint16_t>(found - std::begin(state.nics));
}

PortShape shape_of(const NicRecord& nic) {
  return {nic.tx_rings, nic.rx_rings, slots_of(nic, true), slots_of(nic, false)};
}

/// Whoever has a netmap_if has attached it before.
xdp::Attachment attachment_of(const DomainState& state, const EndpointRecord& user) {
  const NicRecord& nic = state.nic_of(user);
  const bool is_native = nic.mode == static_cast<std::uint8_t>(XdpMode::native);
  if (user.interface == no_object) return {};
  return {nic.link, nic.map, is_native ? XdpMode::native : XdpMode::generic};
}

xdp::Attachment attachment_of_others(const DomainState& state, const EndpointRecord& user) {
  for (const EndpointRecord& other : state.endpoints) {
    if (&other == &user || other.in_use == 0 || other.nic != user.nic) continue;
    if (other.interface != no_object) return attachment_of(state, other);
  }
  return {};
}

PortShape shape_of(const os::Interface& interface, const abi::nmreq_register& asked) {
  const auto slots = [](std::uint32_t count) {
    return count == 0 ? default_slots : std::clamp(count, 2U, max_slots);
  };
  return {rings_for(interface.tx_queues), rings_for(interface.rx_queues), slots(asked.nr_tx_slots),
          slots(asked.nr_rx_slots)};
}

Result<std::uint16_t> make_nic(DomainState& state, const os::Interface& interface,
                               std::string_view name, std::uint16_t memory_id,
                               const PortShape& shape) {
  const auto free =
      std::ranges::find_if(state.nics, [](const NicRecord& nic) { return nic.in_use == 0; });
  if (free == std::end(state.nics)) {
    return refuse(std::errc::not_enough_memory,
                  "the domain has no room for another interface; close the ports of a region");
  }
  NicRecord& nic = *free;
  nic.memory_id = memory_id;
  nic.interface = interface.index;
  nic.network = interface.network;
  nic.link = nic.map = nic.mode = 0;
  std::ranges::fill(nic.queues, NicRecord::Queue{no_object, no_object, 0, 0});
  renew(nic, name, shape);
  nic.in_use = 1;
  NETMAP_POINT("nic: recorded");
  return static_cast<std::uint16_t>(free - std::begin(state.nics));
}

void renew(NicRecord& nic, std::string_view name, const PortShape& shape) {
  nic.name[name.copy(nic.name, sizeof nic.name - 1)] = '\0';
  nic.tx_rings = shape.tx_rings;
  nic.rx_rings = shape.rx_rings;
  bool has_rings = false;
  for_each_object(nic, [&](std::uint32_t) { has_rings = true; });
  if (has_rings) return;
  nic.tx_slots = shape.tx_slots;
  nic.rx_slots = shape.rx_slots;
}

bool is_open(const DomainState& state, std::size_t nic) {
  return std::ranges::any_of(state.endpoints, [&](const EndpointRecord& endpoint) {
    return endpoint.in_use != 0 && endpoint.nic == nic;
  });
}

void forget_deleted(Domain& domain, std::uint64_t network) {
  DomainState& state = domain.state();
  for (std::size_t index = 0; index != max_nics; ++index) {
    NicRecord& nic = state.nics[index];
    if (nic.in_use == 0 || nic.network != network || is_open(state, index) ||
        xdp::has_interface(nic.interface)) {
      continue;
    }
    if (const auto memory = Memory::of(domain, nic.memory_id)) {
      for_each_object(nic, [&](std::uint32_t object) { (*memory)->give_back_rings(object, 1); });
      start_recount(state, **memory);
    }
    NETMAP_POINT("nic: rings of a deleted one given back");
    nic.in_use = 0;
  }
}

Result<> prepare_rings(DomainState& state, Memory& memory, const EndpointRecord& endpoint) {
  NicRecord& nic = state.nic_of(endpoint);
  Result<> done;
  bool had_died = false;
  std::vector<std::pair<std::uint32_t*, std::uint32_t>> made;  // objects with their slots
  for_each_ring(nic, endpoint, [&](NicRecord::Queue& queue, std::uint32_t k, bool is_tx) {
    if (!done) return;
    std::uint32_t& object = object_of(queue, is_tx);
    const bool is_new = object == no_object;
    const bool is_left = was_left(queue, is_tx) != 0;
    done = prepare_ring(memory, queue, k, is_tx, slots_of(nic, is_tx));
    if (done && is_new) made.emplace_back(&object, slots_of(nic, is_tx));
    had_died |= done && is_left;
  });
  if (had_died) start_recount(state, memory);
  if (done) return done;
  for (const auto& [object, slots] : made) drop_ring(memory, *object, slots);
  return done;
}

void leave_rings(NicRecord& nic, const EndpointRecord& endpoint) noexcept {
  for_each_ring(nic, endpoint, [](NicRecord::Queue& queue, std::uint32_t, bool is_tx) {
    was_left(queue, is_tx) = true;
  });
}

void mark_slots(Memory& memory, std::uint32_t object) noexcept {
  for_each_slot(memory, object,
                [&](const abi::netmap_slot& slot) { memory.mark(detail::load(slot).index); });
}

void mark_slots(Memory& memory, const NicRecord& nic, const EndpointRecord& endpoint) noexcept {
  for_each_ring(nic, endpoint, [&](const NicRecord::Queue& queue, std::uint32_t, bool is_tx) {
    const std::uint32_t object = object_of(queue, is_tx);
    if (object != no_object) mark_slots(memory, object);
  });
}

namespace {

static_assert(max_queues == xdp::max_queues);

/// The first `count` buffers, as the kernel takes them.
Result<xdp::Frames> frames_of(const Memory& memory, std::uint32_t count) {
  const PoolGeometry& buffers = memory.pools().buffers;
  const std::uint32_t chunk = buffers.object_bytes + os::xdp::headroom;
  if (chunk < os::xdp::min_chunk || chunk > os::xdp::max_chunk) {
    return refuse(std::errc::invalid_argument,
                  "AF_XDP takes buffers of " +
                      std::to_string(os::xdp::min_chunk - os::xdp::headroom) + " to " +
                      std::to_string(os::xdp::max_chunk - os::xdp::headroom) +
                      " bytes, but the region's have " + std::to_string(buffers.object_bytes));
  }
  const std::uint64_t page = os::page_bytes();
  const std::uint64_t begin = buffers.offset / page * page;
  const std::uint64_t bytes = buffers.offset - begin + std::uint64_t{count} * buffers.object_bytes;
  const std::uint64_t pages = (bytes + page - 1) / page * page;
  return xdp::Frames{.memory = memory.region()->bytes().subspan(begin, pages),
                     .first = buffers.offset - begin,
                     .count = count,
                     .bytes = buffers.object_bytes};
}

std::uint32_t all_slots(const NicRecord& nic) {
  return nic.tx_rings * slots_of(nic, true) + nic.rx_rings * slots_of(nic, false);
}

}  // namespace

Result<xdp::Claim> claim_of(Memory& memory, const NicRecord& nic, const EndpointRecord& endpoint,
                            const os::Interface& interface, const std::string& name,
                            bool busy_poll) {
  const auto count = memory.fix_buffers(all_slots(nic));
  if (!count) return std::unexpected(count.error());
  const auto frames = frames_of(memory, *count);
  if (!frames) return std::unexpected(frames.error());
  return xdp::Claim{.name = name,
                    .interface = interface,
                    .tx = {endpoint.tx.first, endpoint.tx.count, slots_of(nic, true)},
                    .rx = {endpoint.rx.first, endpoint.rx.count, slots_of(nic, false)},
                    .frames = *frames,
                    .busy_poll = busy_poll};
}

}  // namespace netmap::embedded
