// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/pipe.hpp"

#include "device/embedded/options.hpp"
#include "device/embedded/vale.hpp"
#include "point.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace netmap::embedded {
namespace {

/// A sender's and a receiver's for each.
std::uint32_t total_rings(const PortShape& shape) {
  return 2u * (shape.tx_rings + shape.rx_rings);
}

}  // namespace

std::optional<PipeName> parse_pipe(std::string_view name) {
  auto bracket = name.rfind('{');
  if (bracket == std::string_view::npos) bracket = name.rfind('}');
  if (bracket == std::string_view::npos) return {};
  return PipeName{name.substr(0, bracket), name.substr(bracket + 1),
                  name[bracket] == '{' ? End::master : End::slave};
}

std::optional<std::uint16_t> find_pipe(const DomainState& state, const PipeName& name) {
  const auto found = std::ranges::find_if(state.pipes, [&](const PipeRecord& pipe) {
    return pipe.in_use != 0 && name.parent == stored_name(pipe.parent) &&
           name.id == stored_name(pipe.id);
  });
  if (found == std::end(state.pipes)) return {};
  return static_cast<std::uint16_t>(found - std::begin(state.pipes));
}

std::uint16_t memory_of_parent(const DomainState& state, std::string_view parent) {
  for (const NicRecord& nic : state.nics) {
    if (nic.in_use != 0 && parent == stored_name(nic.name)) return nic.memory_id;
  }
  if (const auto name = parse_vale(parent)) {
    const auto place = find_vale_port(state, *name);
    if (place) return state.switches[place->vale].ports[place->port].memory_id;
  }
  const auto found = std::ranges::find_if(state.pipes, [&](const PipeRecord& pipe) {
    return pipe.in_use != 0 && parent == stored_name(pipe.parent);
  });
  return found == std::end(state.pipes) ? std::uint16_t{0} : found->memory_id;
}

PortShape clamp(const PortShape& asked) {
  const auto rings = [](std::uint16_t count) {
    return static_cast<std::uint16_t>(std::clamp<std::uint32_t>(count, 1, max_rings));
  };
  const auto slots = [](std::uint32_t count) {
    return count == 0 ? default_slots : std::min(count, max_slots);
  };
  return {rings(asked.tx_rings), rings(asked.rx_rings), slots(asked.tx_slots),
          slots(asked.rx_slots)};
}

PortShape shape_of(const PipeRecord& pipe, End end) {
  const std::size_t own = number(end);
  const std::size_t peer = number(other(end));
  return clamp({pipe.rings[own], pipe.rings[peer], pipe.slots[own], pipe.slots[peer]});
}

std::uint32_t tx_object(const PipeRecord& pipe, End end, std::uint32_t k) {
  return pipe.first_ring + (end == End::master ? 0 : 2u * pipe.rings[0]) + k;
}

std::uint32_t rx_object(const PipeRecord& pipe, End end, std::uint32_t k) {
  const End sender = other(end);
  return tx_object(pipe, sender, k) + pipe.rings[number(sender)];
}

PipeRing pipe_ring(const PipeRecord& pipe, const Memory& memory, End sender, std::uint32_t k) {
  const std::uint32_t tx = tx_object(pipe, sender, k);
  const std::uint32_t rx = rx_object(pipe, other(sender), k);
  const std::uint32_t slots = detail::load(pipe.slots[number(sender)]);
  return {&memory.ring(tx), &memory.ring(rx), &memory.words(tx),
          std::clamp(slots, 1u, slots_of_ring(memory.pools()))};
}

void describe_ring(const Memory& memory, std::uint32_t object, std::uint32_t index, bool is_tx,
                   std::uint32_t num_slots) {
  RingWords& words = memory.words(object);
  words.offset_mask = words.max_offset = 0;
  words.was_bound = false;
  auto& ring = memory.ring(object);
  ring = {};
  ring.buf_ofs = static_cast<std::int64_t>(memory.pools().buffers.offset) -
                 static_cast<std::int64_t>(memory.pools().rings.at(object) + ring_in_object);
  ring.num_slots = num_slots;
  ring.nr_buf_size = memory.pools().buffers.object_bytes;
  ring.ringid = static_cast<std::uint16_t>(index);
  ring.dir = is_tx ? abi::ring_dir::tx : abi::ring_dir::rx;
}

Result<> give_buffers(Memory& memory, std::uint32_t object, std::uint32_t num_slots) {
  const auto buffers = memory.take_buffers(num_slots);
  if (!buffers) return std::unexpected(buffers.error());
  abi::netmap_slot* const first = abi::slots_of(memory.ring(object));
  for (std::uint32_t slot = 0; slot != num_slots; ++slot) first[slot].buf_idx = (*buffers)[slot];
  return {};
}

void empty_ring(const Memory& memory, std::uint32_t object, std::uint32_t index, bool is_tx,
                std::uint32_t num_slots) {
  describe_ring(memory, object, index, is_tx, num_slots);
  RingWords& words = memory.words(object);
  words.published = words.returned = 0;
  words.rx_sleepers = words.tx_sleepers = 0;
  reset_counts(words);
  abi::netmap_ring& ring = memory.ring(object);
  if (is_tx && num_slots != 0) ring.tail = num_slots - 1;
  for (std::uint32_t slot = 0; slot != num_slots; ++slot) {
    auto& at = abi::slots_of(ring)[slot];
    at = {at.buf_idx, memory.whole_buffer(), 0, 0};
  }
}

Result<std::uint16_t> make_pipe(DomainState& state, Memory& memory, std::uint16_t memory_id,
                                const PipeName& name, const PortShape& shape) {
  const auto free =
      std::ranges::find_if(state.pipes, [](const PipeRecord& pipe) { return pipe.in_use == 0; });
  if (free == std::end(state.pipes)) {
    return refuse(std::errc::not_enough_memory,
                  "the domain has no room for another pipe; close one");
  }
  PipeRecord& pipe = *free;
  pipe.openings[0] = pipe.openings[1] = 0;
  pipe.memory_id = memory_id;
  pipe.rings[number(End::master)] = shape.tx_rings;
  pipe.rings[number(End::slave)] = shape.rx_rings;
  pipe.slots[number(End::master)] = shape.tx_slots;
  pipe.slots[number(End::slave)] = shape.rx_slots;
  store_name(pipe.parent, name.parent);
  store_name(pipe.id, name.id);

  const std::uint32_t slots = shape.tx_rings * shape.tx_slots + shape.rx_rings * shape.rx_slots;
  const auto buffers = memory.take_buffers(slots);
  if (!buffers) return std::unexpected(buffers.error());
  NETMAP_POINT("open: buffers taken");
  const auto rings =
      memory.take_rings(total_rings(shape), std::max(shape.tx_slots, shape.rx_slots));
  if (!rings) {
    for (const std::uint32_t buffer : *buffers) memory.give_back_buffer(buffer);
    return std::unexpected(rings.error());
  }
  pipe.first_ring = *rings;
  std::span<const std::uint32_t> left(*buffers);
  for_each_ring(pipe, memory, [&](const PipeRing& ring, End sender, std::uint32_t k) {
    if (ring.num_slots > left.size()) return;  // somebody wrote to the record meanwhile
    describe_ring(memory, tx_object(pipe, sender, k), k, true, ring.num_slots);
    describe_ring(memory, rx_object(pipe, other(sender), k), k, false, ring.num_slots);
    initialise(ring, left.data(), memory.whole_buffer());
    left = left.subspan(ring.num_slots);
  });
  NETMAP_POINT("open: pipe made");
  pipe.in_use = 1;
  NETMAP_POINT("open: pipe recorded");
  return static_cast<std::uint16_t>(free - std::begin(state.pipes));
}

std::uint32_t total_rings(const PipeRecord& pipe) {
  return total_rings(shape_of(pipe, End::master));
}

void destroy_pipe(const PipeRecord& pipe, Memory& memory) {
  for_each_ring(pipe, memory, [&](const PipeRing& ring, End, std::uint32_t) {
    for (const std::uint32_t buffer : buffers_of(ring)) memory.give_back_buffer(buffer);
  });
  memory.give_back_rings(pipe.first_ring, total_rings(pipe));
}

}  // namespace netmap::embedded
