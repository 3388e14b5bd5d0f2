// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/nic.hpp"

#include "device/embedded/options.hpp"
#include "device/embedded/recount.hpp"
#include "device/embedded/vale.hpp"
#include "point.hpp"

#include <bit>
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

/// Whether the buffers can be chunks, with packets where drivers put them.
bool is_alignable(const PoolGeometry& buffers, const DataOffset& offset) {
  return std::has_single_bit(buffers.object_bytes) && buffers.object_bytes <= os::xdp::max_chunk &&
         buffers.offset % buffers.object_bytes == 0 && offset.max >= os::xdp::headroom;
}

Result<> check_chunks(const xdp::Frames& frames) {
  if (frames.begin < frames.bytes && frames.chunk_bytes() >= os::xdp::min_chunk &&
      frames.chunk_bytes() <= os::xdp::max_chunk) {
    return {};
  }
  const auto bytes = [](std::uint32_t count) { return std::to_string(count); };
  return refuse(std::errc::invalid_argument,
                "AF_XDP takes buffers of " + bytes(os::xdp::min_chunk - os::xdp::headroom) +
                    " to " + bytes(os::xdp::max_chunk - os::xdp::headroom) +
                    " bytes, with data offsets that many beside the initial one, or with such of " +
                    bytes(os::xdp::headroom) + " or more " + bytes(os::xdp::min_chunk) + " or " +
                    bytes(os::xdp::max_chunk) + " bytes; but the region's have " +
                    bytes(frames.bytes) + ", and the packets are to begin at byte " +
                    bytes(frames.begin));
}

/// The first `count` buffers, as the kernel takes them.
Result<xdp::Frames> frames_of(const Memory& memory, std::uint32_t count, const DataOffset& offset) {
  const PoolGeometry& buffers = memory.pools().buffers;
  const std::uint64_t page = os::page_bytes();
  const std::uint64_t begin = buffers.offset / page * page;
  const std::uint64_t bytes = buffers.offset - begin + std::uint64_t{count} * buffers.object_bytes;
  const std::uint64_t pages = (bytes + page - 1) / page * page;
  const bool is_aligned = is_alignable(buffers, offset);
  const std::uint64_t least = is_aligned ? os::xdp::headroom : 0;
  const xdp::Frames frames{.memory = memory.region()->bytes().subspan(begin, pages),
                           .first = buffers.offset - begin,
                           .count = count,
                           .bytes = buffers.object_bytes,
                           .begin = static_cast<std::uint32_t>(std::max(offset.initial, least)),
                           .is_aligned = is_aligned};
  if (auto checked = check_chunks(frames); !checked) return std::unexpected(checked.error());
  return frames;
}

std::uint32_t all_slots(const NicRecord& nic) {
  return nic.tx_rings * slots_of(nic, true) + nic.rx_rings * slots_of(nic, false);
}

/// Why packets cannot but be copied; empty if they can.
std::string why_copied(const xdp::Frames& frames, const NicRequest& asked, bool others_copy) {
  if (!asked.offset) {
    return "drivers put packets " + std::to_string(os::xdp::headroom) +
           " bytes into their buffers, where a port without data offsets does not look";
  }
  if (!frames.is_aligned) {
    return "drivers put packets " + std::to_string(os::xdp::headroom) +
           " bytes into buffers of a power of two, from " + std::to_string(os::xdp::min_chunk) +
           " to " + std::to_string(os::xdp::max_chunk) +
           " bytes, and the data offsets or buffers asked for are smaller or others";
  }
  return others_copy ? "others have the interface open in generic mode" : "";
}

Result<os::Copying> copying_of(const xdp::Frames& frames, const NicRequest& asked,
                               bool others_copy) {
  const std::string why = why_copied(frames, asked, others_copy);
  if (asked.mode == XdpMode::zero_copy && !why.empty()) {
    return std::unexpected(Error(
        errc::not_supported,
        "cannot have '" + asked.name + "' without copies: " + why + "; open it as '" + asked.name +
            "@offset=" + std::to_string(os::xdp::headroom) + "', or in native mode"));
  }
  if (asked.mode == XdpMode::zero_copy) return os::Copying::never;
  const bool may = asked.mode == XdpMode::automatic && why.empty();
  return may && xdp::fits(asked.interface, frames) ? os::Copying::if_needed : os::Copying::always;
}

}  // namespace

Result<xdp::Claim> claim_of(const DomainState& state, Memory& memory,
                            const EndpointRecord& endpoint, const NicRequest& asked) {
  const NicRecord& nic = state.nic_of(endpoint);
  const auto count = memory.fix_buffers(all_slots(nic));
  if (!count) return std::unexpected(count.error());
  const auto frames = frames_of(memory, *count, asked.offset.value_or(DataOffset()));
  if (!frames) return std::unexpected(frames.error());
  const bool others_copy = attachment_of_others(state, endpoint).mode == XdpMode::generic;
  const auto copying = copying_of(*frames, asked, others_copy);
  if (!copying) return std::unexpected(copying.error());
  return xdp::Claim{.name = asked.name,
                    .interface = asked.interface,
                    .tx = {endpoint.tx.first, endpoint.tx.count, slots_of(nic, true)},
                    .rx = {endpoint.rx.first, endpoint.rx.count, slots_of(nic, false)},
                    .frames = *frames,
                    .busy_poll = asked.busy_poll,
                    .mode = asked.mode == XdpMode::zero_copy ? XdpMode::native : asked.mode,
                    .copying = *copying};
}

}  // namespace netmap::embedded
