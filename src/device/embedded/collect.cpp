// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/collect.hpp"

#include "device/embedded/bell.hpp"
#include "device/embedded/memory.hpp"
#include "device/embedded/pipe.hpp"

#include <algorithm>
#include <set>

namespace netmap::embedded {
namespace {

bool is_sound(const PipeRecord& pipe) {
  const auto rings_fit = [](std::uint32_t rings) { return rings >= 1 && rings <= max_rings; };
  const auto slots_fit = [](std::uint32_t slots) { return slots >= 1 && slots <= max_slots; };
  return std::ranges::all_of(pipe.rings, rings_fit) && std::ranges::all_of(pipe.slots, slots_fit) &&
         pipe.first_ring + 2u * (pipe.rings[0] + pipe.rings[1]) <= ring_pool.objects;
}

bool is_sound(const EndpointRecord& endpoint) {
  return (endpoint.pipe == no_pipe || endpoint.pipe < max_pipes) &&
         (endpoint.interface == no_object || endpoint.interface < interface_pool.objects) &&
         (endpoint.first_ring == no_object ||
          endpoint.first_ring + endpoint.tx.count + endpoint.rx.count <= ring_pool.objects);
}

template <class Record>
bool is_damaged(const Record& record) {
  return record.in_use != 0 && !is_sound(record);
}

bool has_endpoint(const DomainState& state, std::uint16_t pipe) {
  return std::ranges::any_of(state.endpoints, [&](const EndpointRecord& endpoint) {
    return endpoint.in_use != 0 && endpoint.pipe == pipe;
  });
}

void release_null_rings(const EndpointRecord& endpoint, Memory& memory) {
  const std::uint32_t count = endpoint.tx.count + endpoint.rx.count;
  for (std::uint32_t object = endpoint.first_ring; object != endpoint.first_ring + count;
       ++object) {
    auto& ring = memory.ring(object);
    const auto* slots = abi::slots_of(ring);
    for (std::uint32_t slot = 0; slot != std::min(ring.num_slots, max_slots); ++slot) {
      memory.give_back_buffer(slots[slot].buf_idx);
    }
  }
  memory.give_back_rings(endpoint.first_ring, count);
}

void release(const EndpointRecord& endpoint, Memory& memory) {
  if (endpoint.interface != no_object) {
    auto& interface = memory.interface(endpoint.interface);
    memory.give_back_buffer_list(std::exchange(interface.ni_bufs_head, 0));
    memory.give_back_interface(endpoint.interface);
  }
  if (endpoint.first_ring != no_object) release_null_rings(endpoint, memory);
}

}  // namespace

Result<> collect(Domain& domain) {
  DomainState& state = domain.state();
  if (std::ranges::any_of(state.pipes, is_damaged<PipeRecord>) ||
      std::ranges::any_of(state.endpoints, is_damaged<EndpointRecord>)) {
    return std::unexpected(
        Error(errc::region_damaged,
              "the domain '" + domain.path() + "' is damaged; remove it once nobody uses it"));
  }
  std::set<std::uint16_t> unused;
  for (std::uint32_t index = 0; index != max_endpoints; ++index) {
    EndpointRecord& endpoint = state.endpoints[index];
    if (endpoint.in_use == 0 || Bell::is_held(domain, index)) continue;
    unused.insert(endpoint.memory_id);
    if (const auto memory = Memory::of(domain, endpoint.memory_id)) release(endpoint, **memory);
    endpoint.in_use = 0;
    Bell::remove(domain, index);
  }
  for (std::uint16_t index = 0; index != max_pipes; ++index) {
    PipeRecord& pipe = state.pipes[index];
    if (pipe.in_use == 0 || has_endpoint(state, index)) continue;
    unused.insert(pipe.memory_id);
    if (const auto memory = Memory::of(domain, pipe.memory_id)) destroy_pipe(pipe, **memory);
    pipe.in_use = 0;
  }
  for (const EndpointRecord& endpoint : state.endpoints) {
    if (endpoint.in_use != 0) unused.erase(endpoint.memory_id);
  }
  for (const std::uint16_t memory_id : unused) Memory::remove(domain, memory_id);
  return {};
}

}  // namespace netmap::embedded
