// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/collect.hpp"

#include "device/embedded/bell.hpp"
#include "device/embedded/memory.hpp"
#include "device/embedded/monitors.hpp"
#include "device/embedded/nic.hpp"
#include "device/embedded/pipe.hpp"
#include "device/embedded/recount.hpp"
#include "device/embedded/repair.hpp"
#include "device/embedded/vale.hpp"
#include "point.hpp"

#include <algorithm>
#include <bitset>
#include <set>
#include <vector>

namespace netmap::embedded {
namespace {

bool has_rings(std::uint64_t first, std::uint64_t count) {
  return first + count <= ring_pool.objects;
}

bool is_sound(const PipeRecord& pipe) {
  const auto rings_fit = [](std::uint32_t rings) { return rings >= 1 && rings <= max_rings; };
  const auto slots_fit = [](std::uint32_t slots) { return slots >= 1 && slots <= max_slots; };
  return std::ranges::all_of(pipe.rings, rings_fit) && std::ranges::all_of(pipe.slots, slots_fit) &&
         has_rings(pipe.first_ring, std::uint64_t{2} * (pipe.rings[0] + pipe.rings[1]));
}

bool is_sound(const EndpointRecord& endpoint) {
  return (endpoint.pipe == no_pipe || endpoint.pipe < max_pipes) &&
         (endpoint.nic == no_nic || endpoint.nic < max_nics) &&
         (endpoint.vale == no_switch ||
          (endpoint.vale < switch_records && endpoint.port < max_switch_ports)) &&
         (endpoint.end == End::master || endpoint.end == End::slave) && endpoint.lane < lanes &&
         endpoint.tx.end() <= max_rings && endpoint.rx.end() <= max_rings &&
         (endpoint.interface == no_object || endpoint.interface < interface_pool.objects) &&
         (endpoint.first_ring == no_object ||
          has_rings(endpoint.first_ring, endpoint.tx.count + endpoint.rx.count));
}

bool is_sound(const NicRecord& nic) {
  bool is_sound = nic.tx_rings <= max_queues && nic.rx_rings <= max_queues;
  for_each_object(nic, [&](std::uint32_t object) { is_sound &= has_rings(object, 1); });
  return is_sound;
}

bool is_sound(const Switch& vale) {
  return std::ranges::all_of(vale.ports, [](const SwitchPort& port) {
    return port.presence == SwitchPort::none ||
           (port.tx_rings <= max_switch_rings && port.rx_rings <= max_monitor_rings &&
            port.tx_slots <= max_slots && port.rx_slots <= max_slots &&
            has_rings(port.first_ring, total_rings(port)));
  });
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

/// The list of extra buffers is believed only if the owner left it in order: of one who died, some
/// are in rings and others hold packets where the links were. A recount finds those.
void release(const EndpointRecord& endpoint, Memory& memory) {
  if (endpoint.interface != no_object) {
    auto& interface = memory.interface(endpoint.interface);
    const std::uint32_t extra = std::exchange(interface.ni_bufs_head, 0);
    if (endpoint.is_closed) memory.give_back_buffer_list(extra);
    memory.give_back_interface(endpoint.interface);
  }
  if (endpoint.first_ring == no_object) return;
  for_each_null_slot(endpoint, memory,
                     [&](const abi::netmap_slot& slot) { memory.give_back_buffer(slot.buf_idx); });
  memory.give_back_rings(endpoint.first_ring, endpoint.tx.count + endpoint.rx.count);
}

/// The region of the last interface that was open grows again.
void release_queues(DomainState& state, const EndpointRecord& endpoint, Memory& memory) {
  if (!endpoint.is_closed) leave_rings(state.nic_of(endpoint), endpoint);
  const bool is_last = std::ranges::none_of(state.endpoints, [&](const EndpointRecord& other) {
    return &other != &endpoint && other.in_use != 0 && other.nic != no_nic &&
           other.memory_id == endpoint.memory_id;
  });
  if (is_last) memory.let_grow();
}

/// Whether the region is a file of a user who keeps it from this one.
bool is_denied(const Domain& domain, std::uint16_t memory_id) {
  const auto memory = Memory::existing(domain, memory_id);
  return !memory && memory.error().code() == std::errc::permission_denied;
}

/// Endpoints that nobody has open any more. A process lets go of one after the other when it dies,
/// and what it forwarded is told from all of them: those it has not closed wait for the last. Those
/// of a region that this process is denied wait for somebody who is in it.
std::vector<std::uint32_t> find_dead(Domain& domain) {
  const DomainState& state = domain.state();
  std::vector<std::uint32_t> dead;
  std::set<std::uint64_t> alive;
  std::set<std::uint16_t> memories;
  for (std::uint32_t index = 0; index != max_endpoints; ++index) {
    if (state.endpoints[index].in_use == 0) continue;
    if (Bell::is_held(domain, index)) {
      alive.insert(detail::load(state.endpoints[index].owner));  // not what may change meanwhile
      memories.insert(detail::load(state.endpoints[index].memory_id));
    } else {
      dead.push_back(index);
    }
  }
  std::erase_if(dead, [&](std::uint32_t index) {
    const EndpointRecord& endpoint = state.endpoints[index];
    return (!endpoint.is_closed && alive.contains(endpoint.owner)) ||
           (memories.contains(endpoint.memory_id) && is_denied(domain, endpoint.memory_id));
  });
  return dead;
}

void collect_endpoints(Domain& domain) {
  DomainState& state = domain.state();
  const auto dead = find_dead(domain);
  repair_rings(domain, dead);
  NETMAP_POINT("collect: repaired");
  bool has_died = false;
  for (const std::uint32_t index : dead) {
    EndpointRecord& endpoint = state.endpoints[index];
    if (const auto memory = Memory::of(domain, endpoint.memory_id)) {
      release(endpoint, **memory);
      if (endpoint.nic != no_nic) release_queues(state, endpoint, **memory);
      if (endpoint.vale != no_switch && !endpoint.is_closed) {
        leave_rings(state.port_of(endpoint), endpoint);
      }
      if (!endpoint.is_closed) start_recount(state, **memory);
      if (endpoint.is_raw) renew_recount(state, **memory);
    }
    NETMAP_POINT("collect: endpoint released");
    endpoint.in_use = 0;
    if (endpoint.is_closed) continue;
    has_died = true;
    if (endpoint.vale < unattached) tell_of_death(domain, endpoint.vale);
  }
  if (has_died) refill_monitors(domain);  // of all, before their cells are said to be empty
}

void collect_pipes(Domain& domain) {
  DomainState& state = domain.state();
  for (std::uint16_t index = 0; index != max_pipes; ++index) {
    PipeRecord& pipe = state.pipes[index];
    if (pipe.in_use == 0 || has_endpoint(state, index)) continue;
    if (const auto memory = Memory::of(domain, pipe.memory_id)) destroy_pipe(pipe, **memory);
    NETMAP_POINT("collect: pipe destroyed");
    pipe.in_use = 0;
  }
}

/// The region goes, rings and buffers and all.
void collect_nics(DomainState& state) {
  for (NicRecord& nic : state.nics) {
    if (nic.in_use != 0 && !is_used(state, nic.memory_id)) nic.in_use = 0;
  }
}

template <std::size_t size>
void set_row(std::bitset<size>& bits, std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t bit = first; count != 0 && bit < size; ++bit, --count) bits.set(bit);
}

Memory::Objects named_objects(const DomainState& state, std::uint16_t memory_id) {
  Memory::Objects named;
  for (const EndpointRecord& endpoint : state.endpoints) {
    if (endpoint.in_use == 0 || endpoint.memory_id != memory_id) continue;
    set_row(named.interfaces, endpoint.interface, 1);
    set_row(named.rings, endpoint.first_ring, endpoint.tx.count + endpoint.rx.count);
  }
  for (const PipeRecord& pipe : state.pipes) {
    if (pipe.in_use == 0 || pipe.memory_id != memory_id) continue;
    set_row(named.rings, pipe.first_ring, total_rings(pipe));
  }
  for (const NicRecord& nic : state.nics) {
    if (nic.in_use == 0 || nic.memory_id != memory_id) continue;
    for_each_object(nic, [&](std::uint32_t object) { set_row(named.rings, object, 1); });
  }
  for_each_port(state, memory_id, [&](const SwitchPort& port) {
    set_row(named.rings, port.first_ring, total_rings(port));
  });
  return named;
}

/// Whoever died with the lock may have taken objects that no record names yet, and not told of a
/// death.
void collect_unnamed(Domain& domain) {
  for (std::uint16_t vale = 0; vale != unattached; ++vale) tell_of_death(domain, vale);
  refill_monitors(domain);
  for (const std::uint16_t memory_id : used_memories(domain.state())) {
    const auto memory = Memory::of(domain, memory_id);
    if (!memory) continue;
    (*memory)->keep_only(named_objects(domain.state(), memory_id));
    start_recount(domain.state(), **memory);
  }
}

bool is_stray(const DomainState& state, std::string_view file) {
  if (const auto endpoint = Bell::owner_of(file)) {
    return *endpoint >= max_endpoints || state.endpoints[*endpoint].in_use == 0;
  }
  const auto memory_id = Memory::id_of(file);
  return memory_id && !is_used(state, *memory_id);
}

/// Files are made before the record that names them, and outlive it.
void remove_stray_files(Domain& domain) {
  const auto files = os::list(domain.directory());
  if (!files) return;
  for (const std::string& file : *files) {
    if (is_stray(domain.state(), file)) (void)os::remove(domain.directory(), file);
  }
}

}  // namespace

bool is_used(const DomainState& state, std::uint16_t memory_id) {
  const auto uses = [&](const auto& record) {
    return record.in_use != 0 && record.memory_id == memory_id;
  };
  bool has_ports = false;
  for_each_port(state, memory_id, [&](const SwitchPort&) { has_ports = true; });
  return has_ports || std::ranges::any_of(state.endpoints, uses) ||
         std::ranges::any_of(state.pipes, uses);
}

Result<> collect(Domain& domain) {
  DomainState& state = domain.state();
  if (std::ranges::any_of(state.pipes, is_damaged<PipeRecord>) ||
      std::ranges::any_of(state.nics, is_damaged<NicRecord>) ||
      std::ranges::any_of(state.switches, is_damaged<Switch>) ||
      std::ranges::any_of(state.endpoints, is_damaged<EndpointRecord>)) {
    return std::unexpected(damaged("the domain '" + domain.path() + "'"));
  }
  const bool was_left = domain.was_left();
  collect_endpoints(domain);
  collect_pipes(domain);
  orphan_monitors(domain);
  collect_switches(domain, was_left);
  collect_nics(state);
  if (was_left) collect_unnamed(domain);
  finish_recounts(domain);
  remove_stray_files(domain);
  return {};
}

}  // namespace netmap::embedded
