// SPDX-License-Identifier: BSD-2-Clause
//
// Registration: from a request to rings that belong to one endpoint.
#include "device/embedded/collect.hpp"
#include "device/embedded/external.hpp"
#include "device/embedded/monitors.hpp"
#include "device/embedded/nic.hpp"
#include "device/embedded/offsets.hpp"
#include "device/embedded/options.hpp"
#include "device/embedded/pipe.hpp"
#include "device/embedded/queues.hpp"
#include "device/embedded/requests.hpp"
#include "device/embedded/resolve.hpp"
#include "device/embedded/vale.hpp"
#include "point.hpp"

#include <algorithm>

namespace netmap::embedded {
namespace {

Result<std::uint32_t> free_record(DomainState& state) {
  for (std::uint32_t index = 0; index != max_endpoints; ++index) {
    if (state.endpoints[index].in_use == 0) return index;
  }
  return refuse(std::errc::not_enough_memory, "the domain has no room for another open port");
}

/// Where the offsets of an endpoint's rings go, in the order that netmap(4) gives them.
void list_rings(const Memory& memory, abi::netmap_if& interface, const DomainState& state,
                const EndpointRecord& endpoint, const abi::nmreq_register& body) {
  std::int64_t* const tx = abi::ring_offsets_of(interface);
  std::int64_t* const rx = tx + body.nr_tx_rings + 1;
  std::fill(tx, rx + body.nr_rx_rings + 1, 0);
  const auto list = [&](std::int64_t* into, RingRange rings, std::uint32_t most, bool is_tx) {
    for (std::uint32_t k = rings.first; k < std::min(rings.end(), most); ++k) {
      const std::uint32_t object = ring_object(state, endpoint, is_tx, k);
      into[k] = static_cast<std::int64_t>(memory.pools().rings.at(object) + ring_in_object) -
                static_cast<std::int64_t>(memory.pools().interfaces.at(endpoint.interface));
    }
  };
  list(tx, endpoint.tx, body.nr_tx_rings, true);
  list(rx, endpoint.rx, body.nr_rx_rings, false);
}

Result<> make_interface(Memory& memory, const DomainState& state, EndpointRecord& endpoint,
                        const std::string& name, abi::nmreq_register& body) {
  const auto object = memory.take_interface(2U + body.nr_tx_rings + body.nr_rx_rings);
  if (!object) return std::unexpected(object.error());
  NETMAP_POINT("open: interface taken");
  abi::netmap_if& interface = memory.interface(*object);
  interface = {};
  endpoint.interface = *object;
  const std::string shown = is_null_port(endpoint) ? "null:" + name : name;
  shown.copy(interface.ni_name, sizeof interface.ni_name - 1);
  interface.ni_flags = endpoint.memory_id == global_memory ? 0 : abi::if_flags::priv_mem;
  interface.ni_tx_rings = body.nr_tx_rings;
  interface.ni_rx_rings = body.nr_rx_rings;
  interface.ni_host_tx_rings = 1;
  interface.ni_host_rx_rings = 1;
  list_rings(memory, interface, state, endpoint, body);
  const auto extra = memory.take_buffer_list(body.nr_extra_bufs);
  interface.ni_bufs_head = extra.first;
  body.nr_extra_bufs = extra.count;
  body.nr_offset = memory.pools().interfaces.at(*object);
  return {};
}

/// Rings that lead nowhere: a null port has them so that its user finds the buffers.
Result<> make_null_rings(Memory& memory, EndpointRecord& endpoint,
                         const abi::nmreq_register& body) {
  const std::uint32_t count = body.nr_tx_rings + body.nr_rx_rings;
  const std::uint32_t slots =
      body.nr_tx_rings * body.nr_tx_slots + body.nr_rx_rings * body.nr_rx_slots;
  const auto rings = memory.take_rings(count, std::max(body.nr_tx_slots, body.nr_rx_slots));
  if (!rings) return std::unexpected(rings.error());
  const auto buffers = memory.take_buffers(slots);
  if (!buffers) {
    memory.give_back_rings(*rings, count);
    return std::unexpected(buffers.error());
  }
  const std::uint32_t* next = buffers->data();
  for (std::uint32_t i = 0; i != count; ++i) {
    const bool is_tx = i < body.nr_tx_rings;
    const std::uint32_t size = is_tx ? body.nr_tx_slots : body.nr_rx_slots;
    abi::netmap_slot* const first = abi::slots_of(memory.ring(*rings + i));
    for (std::uint32_t slot = 0; slot != size; ++slot) first[slot].buf_idx = *next++;
    empty_ring(memory, *rings + i, is_tx ? i : i - body.nr_tx_rings, is_tx, size);
  }
  endpoint.first_ring = *rings;
  return {};
}

/// Peers that sleep are to watch the new one, too: whoever falls asleep marks itself, then looks
/// for openings.
void tell_peers(Domain& domain, const Memory& memory, const EndpointRecord& endpoint) {
  DomainState& state = domain.state();
  if (endpoint.vale != no_switch) {
    announce(state, endpoint);
    for (std::uint32_t index = 0; index != max_endpoints; ++index) {
      if (is_peer(state.endpoints[index], endpoint)) Bell::ring(domain, index);
    }
  }
  tell_watched(domain);
  if (endpoint.pipe == no_pipe) return;
  PipeRecord& pipe = state.pipe_of(endpoint);
  ++pipe.openings[number(endpoint.end)];
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const auto tell = [&](std::uint32_t index, std::uint64_t) {
    if (is_peer(state.endpoints[index], endpoint)) Bell::ring(domain, index);
  };
  for_each_ring(pipe, memory, [&](const PipeRing& ring, End, std::uint32_t) {
    for_each_sleeper(ring.words->rx_sleepers, tell);
    for_each_sleeper(ring.words->tx_sleepers, tell);
  });
}

void bind_rings(Binding& binding, const PipeRecord& pipe, const EndpointRecord& endpoint,
                PipeSender::Entry entry) {
  const RingRange tx = endpoint.tx;
  const RingRange rx = endpoint.rx;
  for (std::uint32_t k = tx.first; k < std::min(tx.end(), max_rings); ++k) {
    binding.senders.emplace_back(pipe_ring(pipe, *binding.memory, endpoint.end, k), entry);
  }
  for (std::uint32_t k = rx.first; k < std::min(rx.end(), max_rings); ++k) {
    binding.receivers.emplace_back(pipe_ring(pipe, *binding.memory, other(endpoint.end), k));
  }
}

/// External memory, if that is asked for, is not to go before a port lives in it.
Result<std::shared_ptr<Memory>> choose_memory(Domain& domain, const abi::nmreq_header& request,
                                              const std::string& external_file,
                                              std::uint16_t& memory_id) {
  auto* const asked = find_option<abi::nmreq_opt_extmem>(request, abi::option::extmem);
  if (asked == nullptr) {
    if (auto known = check_memory(domain.state(), memory_id); !known) {
      return std::unexpected(known.error());
    }
    return nullptr;
  }
  auto memory = external_memory(domain, *asked, external_file);
  if (memory) memory_id = (*memory)->id();
  return memory;
}

/// Gives an endpoint that is recorded what a port has, and describes it. The record may have been
/// written to since: that it names an interface does not mean that there is one.
Result<> furnish(Domain& domain, Domain::Lock& lock, const abi::nmreq_header& request,
                 const std::optional<os::Interface>& interface, const DeviceOptions& options,
                 Binding& binding, abi::nmreq_register& answer) {
  DomainState& state = domain.state();
  EndpointRecord& endpoint = state.endpoints[binding.endpoint];
  Result<> done;
  if (interface && endpoint.nic != no_nic) {
    const auto offset = asked_offset(request, *binding.memory);
    if (!offset) return std::unexpected(offset.error());
    done = take_queues(domain, lock, binding,
                       {request.nr_name, *interface, *offset, options.xdp, options.busy_poll});
  } else if (endpoint.vale != no_switch) {
    done = empty_rings(state, *binding.memory, endpoint);
  } else if (endpoint.pipe == no_pipe) {
    done = make_null_rings(*binding.memory, endpoint, answer);
  } else {
    bind_rings(binding, state.pipe_of(endpoint), endpoint, PipeSender::Entry::takes_over);
  }
  if (done) done = set_offsets(request, state, *binding.memory, endpoint);
  if (!done) return done;
  tell_peers(domain, *binding.memory, endpoint);
  done = make_interface(*binding.memory, state, endpoint, request.nr_name, answer);
  if (!done) return done;
  NETMAP_POINT("open: described");
  return binding.nic ? start_queues(binding, answer.nr_offset) : done;
}

}  // namespace

Result<Binding> register_port(Domain& domain, Domain::Lock& lock, abi::nmreq_header& request,
                              const std::string& external_file, const DeviceOptions& options) {
  auto& body =
      *reinterpret_cast<abi::nmreq_register*>(static_cast<std::uintptr_t>(request.nr_body));
  abi::nmreq_register answer = body;
  const auto interface = interface_of(domain.state(), request.nr_name, body);
  if (!interface) return std::unexpected(interface.error());
  const auto external = choose_memory(domain, request, external_file, answer.nr_mem_id);
  if (!external) return std::unexpected(external.error());
  const auto index = free_record(domain.state());
  if (!index) return std::unexpected(index.error());
  EndpointRecord& endpoint = domain.state().endpoints[*index];
  endpoint.process = os::process();
  endpoint.owner = Domain::owner();
  endpoint.exclusive = (body.nr_flags & abi::register_flags::exclusive) != 0;
  endpoint.lane = 0;
  endpoint.is_closed = false;
  endpoint.is_raw = false;
  endpoint.interface = no_object;
  endpoint.first_ring = no_object;
  static_cast<PortId&>(endpoint) = {};
  endpoint.is_watched = false;
  endpoint.deliveries = 0;
  if (auto resolved = resolve(domain, request.nr_name, *interface, answer, endpoint); !resolved) {
    return std::unexpected(resolved.error());
  }
  auto bell = Bell::make(domain, *index);
  if (!bell) return std::unexpected(bell.error());
  NETMAP_POINT("open: bell made");
  ++endpoint.epoch;
  auto memory = Memory::of(domain, endpoint.memory_id);
  if (!memory) return std::unexpected(memory.error());
  Binding binding{*index, std::move(*bell), std::move(*memory), {}, {}, {}, {}, {}};
  endpoint.in_use = 1;
  NETMAP_POINT("open: recorded");
  if (auto done = furnish(domain, lock, request, *interface, options, binding, answer); !done) {
    endpoint.is_closed = true;
    return std::unexpected(done.error());
  }
  answer.nr_memsize = binding.memory->region()->bytes().size();
  answer.nr_mem_id = endpoint.memory_id;
  answer.nr_host_tx_rings = 0;
  answer.nr_host_rx_rings = 0;
  body = answer;
  return binding;
}

Result<Binding> share_port(Domain& domain, std::uint32_t index, os::File life) {
  const EndpointRecord& endpoint = domain.state().endpoints[index];
  if (endpoint.nic != no_nic) {
    return std::unexpected(Error(errc::not_supported,
                                 "a port of an interface is used by the process that opened it, "
                                 "and by no other program"));
  }
  auto memory = Memory::existing(domain, endpoint.memory_id);
  if (!memory) return std::unexpected(memory.error());
  auto bell = Bell::share(domain, index, std::move(life));
  if (!bell) return std::unexpected(bell.error());
  Binding binding{index, std::move(*bell), std::move(*memory), {}, {}, {}, {}, {}};
  if (endpoint.pipe == no_pipe) return binding;
  bind_rings(binding, domain.state().pipe_of(endpoint), endpoint, PipeSender::Entry::joins);
  return binding;
}

}  // namespace netmap::embedded
