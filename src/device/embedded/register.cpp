// SPDX-License-Identifier: BSD-2-Clause
//
// Registration: from a request to rings that belong to one endpoint.
#include "device/embedded/collect.hpp"
#include "device/embedded/external.hpp"
#include "device/embedded/nic.hpp"
#include "device/embedded/offsets.hpp"
#include "device/embedded/options.hpp"
#include "device/embedded/pipe.hpp"
#include "device/embedded/recount.hpp"
#include "device/embedded/requests.hpp"
#include "device/embedded/vale.hpp"
#include "device/embedded/vale_requests.hpp"
#include "point.hpp"

#include <algorithm>
#include <bit>
#include <chrono>

namespace netmap::embedded {
namespace {

namespace flag = abi::register_flags;

Result<ValePlace> find_or_make_vale_port(Domain& domain, const ValeName& name,
                                         const abi::nmreq_register& body) {
  DomainState& state = domain.state();
  if (const auto found = find_vale_port(state, name)) return *found;
  const auto memory =
      Memory::of(domain, body.nr_mem_id != 0 ? body.nr_mem_id : unused_memory(state));
  if (!memory) return std::unexpected(memory.error());
  return make_vale_port(state, **memory, name,
                        {body.nr_tx_rings, body.nr_rx_rings, body.nr_tx_slots, body.nr_rx_slots});
}

/// The VALE port that pipes of its name belong to, which is there as long as they are; its memory.
Result<std::uint16_t> make_parent(Domain& domain, std::string_view name,
                                  const abi::nmreq_register& body) {
  const auto parsed = vale_name_of(domain.state(), name);
  if (!parsed) return std::unexpected(parsed.error());
  abi::nmreq_register asked{};
  asked.nr_mem_id = body.nr_mem_id;
  const auto place = find_or_make_vale_port(domain, *parsed, asked);
  if (!place) return std::unexpected(place.error());
  return domain.state().switches[place->vale].ports[place->port].memory_id;
}

Result<std::uint16_t> find_or_make_pipe(Domain& domain, const PipeName& name,
                                        const abi::nmreq_register& body) {
  DomainState& state = domain.state();
  if (const auto found = find_pipe(state, name)) return *found;
  std::uint16_t memory_id = memory_of_new_pipe(state, name.parent, body.nr_mem_id);
  if (is_vale_name(name.parent)) {
    const auto parent = make_parent(domain, name.parent, body);
    if (!parent) return std::unexpected(parent.error());
    memory_id = *parent;
  }
  const auto memory = Memory::of(domain, memory_id);
  if (!memory) return std::unexpected(memory.error());
  const PortShape shape =
      clamp({body.nr_tx_rings, body.nr_rx_rings, body.nr_tx_slots, body.nr_rx_slots});
  return make_pipe(state, **memory, memory_id, name, shape);
}

/// Which rings the request's mode and flags select; module's rules, netmap(4).
Result<> select_rings(const abi::nmreq_register& body, const PortShape& shape,
                      EndpointRecord& endpoint) {
  endpoint.tx = {0, shape.tx_rings};
  endpoint.rx = {0, shape.rx_rings};
  if (body.nr_mode == abi::mode::one_nic) {
    const std::uint16_t ring = body.nr_ringid;
    if (ring >= shape.tx_rings && ring >= shape.rx_rings) {
      return refuse(std::errc::invalid_argument,
                    "there is no ring " + std::to_string(ring) + "; the port has " +
                        std::to_string(shape.tx_rings) + " tx and " +
                        std::to_string(shape.rx_rings) + " rx rings, counted from 0");
    }
    endpoint.tx = {ring < shape.tx_rings ? ring : std::uint16_t{0}, 1};
    endpoint.rx = {ring < shape.rx_rings ? ring : std::uint16_t{0}, 1};
  } else if (body.nr_mode != abi::mode::all_nic) {
    if (endpoint.nic == no_nic) {
      return refuse(std::errc::invalid_argument, "pipes and VALE ports have no host rings");
    }
    return std::unexpected(Error(
        errc::not_supported,
        "AF_XDP has no host rings: packets that the program does not take cannot be passed to the "
        "host's stack; open the NIC rings alone, or use the kernel device"));
  }
  if ((body.nr_flags & flag::rx_rings_only) != 0) endpoint.tx.count = 0;
  if ((body.nr_flags & flag::tx_rings_only) != 0) endpoint.rx.count = 0;
  return {};
}

/// What others may have, too, for a sentence.
std::string what(const EndpointRecord& endpoint) {
  return endpoint.pipe != no_pipe ? "this end of the pipe" : "this port";
}

/// A queue has one socket, and a socket one process.
Result<> claim_queues(const DomainState& state, const EndpointRecord& endpoint) {
  for (const EndpointRecord& user : state.endpoints) {
    if (user.in_use == 0 || user.nic != endpoint.nic) continue;
    const bool is_taken = user.tx.overlaps(endpoint.tx) || user.rx.overlaps(endpoint.rx);
    const bool is_shared = user.tx.overlaps(endpoint.rx) || user.rx.overlaps(endpoint.tx);
    if (!is_taken && (!is_shared || user.owner == endpoint.owner)) continue;
    return refuse(std::errc::device_or_resource_busy,
                  "process " + std::to_string(user.process) +
                      " has, or is opening, these rings of the interface, " +
                      (is_taken ? "" : "in the other direction, ") +
                      "and AF_XDP gives a queue to one process; close them there");
  }
  return {};
}

/// A ring has one user, unless all of them agreed to share; then each needs a lane of its own.
Result<> claim_rings(const DomainState& state, EndpointRecord& endpoint) {
  std::uint32_t lanes_taken = 0;
  for (const EndpointRecord& user : state.endpoints) {
    if (user.in_use == 0 || !is_same_port(user, endpoint)) continue;
    if (!user.tx.overlaps(endpoint.tx) && !user.rx.overlaps(endpoint.rx)) continue;
    if (user.exclusive || endpoint.exclusive) {
      return refuse(std::errc::device_or_resource_busy,
                    what(endpoint) + " is taken by process " + std::to_string(user.process) +
                        "; close it there, use another, or let both open it as shared");
    }
    lanes_taken |= 1u << user.lane % lanes;
  }
  endpoint.lane = static_cast<std::uint8_t>(std::countr_one(lanes_taken));
  if (lanes_taken != (1u << lanes) - 1) return {};
  return refuse(std::errc::device_or_resource_busy,
                what(endpoint) + " has " + std::to_string(lanes) + " users already");
}

Result<std::uint32_t> free_record(DomainState& state) {
  for (std::uint32_t index = 0; index != max_endpoints; ++index) {
    if (state.endpoints[index].in_use == 0) return index;
  }
  return refuse(std::errc::not_enough_memory, "the domain has no room for another open port");
}

/// The ring object of the endpoint's tx ring `k`, or of its rx ring.
std::uint32_t object_of(const DomainState& state, const EndpointRecord& endpoint, bool is_tx,
                        std::uint32_t k) {
  if (endpoint.pipe != no_pipe) {
    const PipeRecord& pipe = state.pipe_of(endpoint);
    return is_tx ? tx_object(pipe, endpoint.end, k) : rx_object(pipe, endpoint.end, k);
  }
  if (endpoint.nic != no_nic) {
    const NicRecord::Queue& queue = state.nic_of(endpoint).queues[k % max_queues];
    return is_tx ? queue.tx : queue.rx;
  }
  if (endpoint.vale != no_switch) {
    const SwitchPort& port = state.port_of(endpoint);
    return is_tx ? tx_object(port, k) : rx_object(port, k);
  }
  return endpoint.first_ring + k + (is_tx ? 0 : endpoint.tx.count);
}

/// Where the offsets of an endpoint's rings go, in the order that netmap(4) gives them.
void list_rings(const Memory& memory, abi::netmap_if& interface, const DomainState& state,
                const EndpointRecord& endpoint, const abi::nmreq_register& body) {
  std::int64_t* const tx = abi::ring_offsets_of(interface);
  std::int64_t* const rx = tx + body.nr_tx_rings + 1;
  std::fill(tx, rx + body.nr_rx_rings + 1, 0);
  const auto list = [&](std::int64_t* into, RingRange rings, std::uint32_t most, bool is_tx) {
    for (std::uint32_t k = rings.first; k < std::min(rings.end(), most); ++k) {
      const std::uint32_t object = object_of(state, endpoint, is_tx, k);
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

void bind_rings(Binding& binding, const PipeRecord& pipe, const EndpointRecord& endpoint) {
  const RingRange tx = endpoint.tx;
  const RingRange rx = endpoint.rx;
  for (std::uint32_t k = tx.first; k < std::min(tx.end(), max_rings); ++k) {
    binding.senders.emplace_back(pipe_ring(pipe, *binding.memory, endpoint.end, k));
  }
  for (std::uint32_t k = rx.first; k < std::min(rx.end(), max_rings); ++k) {
    binding.receivers.emplace_back(pipe_ring(pipe, *binding.memory, other(endpoint.end), k));
  }
}

Result<ValePlace> place_of(Domain& domain, const std::string& name,
                           const abi::nmreq_register& body) {
  if (const auto found = find_vale_named(domain.state(), name)) return *found;
  const auto parsed = vale_name_of(domain.state(), name);
  if (!parsed) return std::unexpected(parsed.error());
  return find_or_make_vale_port(domain, *parsed, body);
}

/// The port is made if it is not there. One that has headers is for those who know.
Result<> resolve_vale_port(Domain& domain, const std::string& name, abi::nmreq_register& body,
                           EndpointRecord& endpoint) {
  DomainState& state = domain.state();
  const auto place = place_of(domain, name, body);
  if (!place) return std::unexpected(place.error());
  endpoint.vale = place->vale;
  endpoint.port = place->port;
  const SwitchPort& port = state.port_of(endpoint);
  if (port.header_bytes != abi::vnet_hdr_len::none &&
      (body.nr_flags & flag::accept_vnet_hdr) == 0) {
    return refuse(std::errc::io_error,
                  "the packets of this port begin with virtio-net headers, which the program does "
                  "not accept");
  }
  const PortShape shape = shape_of(port);
  shape.write_to(body);
  endpoint.memory_id = port.memory_id;
  if (auto selected = select_rings(body, shape, endpoint); !selected) return selected;
  return claim_rings(state, endpoint);
}

Result<> resolve_null_port(const abi::nmreq_register& body, EndpointRecord& endpoint) {
  if (body.nr_mem_id == 0) {
    return refuse(std::errc::invalid_argument, "a null port needs a memory id");
  }
  if (std::max(body.nr_tx_rings, body.nr_rx_rings) > max_rings ||
      std::max(body.nr_tx_slots, body.nr_rx_slots) > max_slots) {
    return refuse(std::errc::not_enough_memory,
                  "a null port has at most " + std::to_string(max_rings) + " rings each way, of " +
                      std::to_string(max_slots) + " slots");
  }
  endpoint.memory_id = body.nr_mem_id;
  endpoint.pipe = no_pipe;
  endpoint.tx = {0, body.nr_tx_rings};
  endpoint.rx = {0, body.nr_rx_rings};
  return {};
}

/// Records the interface if it is new here, in the memory that interfaces share unless told
/// otherwise, as the module has it.
Result<> resolve_nic(Domain& domain, const std::string& name, const os::Interface& interface,
                     abi::nmreq_register& body, EndpointRecord& endpoint) {
  DomainState& state = domain.state();
  forget_deleted(domain, interface.network);
  auto nic = find_nic(state, interface);
  if (!nic) {
    const std::uint16_t memory_id = body.nr_mem_id != 0 ? body.nr_mem_id : global_memory;
    const auto made = make_nic(state, interface, name, memory_id, shape_of(interface, body));
    if (!made) return std::unexpected(made.error());
    nic = *made;
  }
  endpoint.nic = *nic;
  NicRecord& record = state.nics[*nic];
  if (!is_open(state, *nic)) renew(record, name, shape_of(interface, body));
  const PortShape shape = shape_of(record);
  shape.write_to(body);
  endpoint.memory_id = record.memory_id;
  if (auto selected = select_rings(body, shape, endpoint); !selected) return selected;
  return claim_queues(state, endpoint);
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

/// Which memory and rings the request is about; makes the pipe or records the interface if it names
/// a new one.
Result<> resolve(Domain& domain, const std::string& name,
                 const std::optional<os::Interface>& interface, abi::nmreq_register& body,
                 EndpointRecord& endpoint) {
  if ((body.nr_flags & (flag::monitor_tx | flag::monitor_rx | flag::zcopy_mon)) != 0) {
    return std::unexpected(Error(errc::not_supported, "the embedded device has no monitors yet"));
  }
  if (body.nr_mode == abi::mode::null) return resolve_null_port(body, endpoint);
  if (interface) return resolve_nic(domain, name, *interface, body, endpoint);
  if (is_vale_name(name) || find_vale_interface(domain.state(), name)) {
    return resolve_vale_port(domain, name, body, endpoint);
  }
  const auto pipe_name = pipe_of(domain.state(), name);
  if (!pipe_name) return std::unexpected(pipe_name.error());
  const auto pipe = find_or_make_pipe(domain, *pipe_name, body);
  if (!pipe) return std::unexpected(pipe.error());
  const PipeRecord& record = domain.state().pipes[*pipe];
  const PortShape shape = shape_of(record, pipe_name->end);
  shape.write_to(body);
  endpoint.memory_id = record.memory_id;
  endpoint.pipe = *pipe;
  endpoint.end = pipe_name->end;
  if (auto selected = select_rings(body, shape, endpoint); !selected) return selected;
  return claim_rings(domain.state(), endpoint);
}

/// Of a request whose name is one's.
Result<std::optional<os::Interface>> interface_of(const DomainState& state, const std::string& name,
                                                  const abi::nmreq_register& body) {
  if (body.nr_mode == abi::mode::null || !is_nic_name(name)) return std::nullopt;
  if (find_vale_interface(state, name)) return std::nullopt;
  auto found = xdp::find_interface(name);
  if (!found) return std::unexpected(found.error());
  return *found;
}

/// Others have the lock while `use` runs; what is claimed is recorded.
template <class Use>
Result<> without_lock(Domain& domain, Domain::Lock& lock, Use&& use) {
  lock.release();
  use();
  auto locked = domain.lock();
  if (!locked) return std::unexpected(locked.error());
  lock = std::move(*locked);
  return collect(domain);
}

Result<> bind_queues(Domain& domain, Domain::Lock& lock, Binding& binding,
                     const xdp::Claim& claim) {
  Result<std::unique_ptr<xdp::Nic>> nic;
  auto locked = without_lock(domain, lock, [&] {
    nic = xdp::bind(claim);
    NETMAP_POINT("nic: queues bound");
  });
  if (!locked) return locked;
  if (!nic) return std::unexpected(nic.error());
  binding.nic = std::move(*nic);
  return {};
}

/// One who is closing the interface may have let go of the program, and not of the record that
/// names it yet.
Result<xdp::Attachment> attach(Domain& domain, Domain::Lock& lock, Binding& binding, XdpMode mode) {
  using Clock = std::chrono::steady_clock;
  const DomainState& state = domain.state();
  const EndpointRecord& endpoint = state.endpoints[binding.endpoint];
  for (const auto end = Clock::now() + xdp::release_limit;;) {
    auto attached = binding.nic->attach(mode, attachment_of_others(state, endpoint));
    const bool may_come =
        !attached && attached.error().code() == std::errc::no_such_file_or_directory;
    if (!may_come || Clock::now() >= end) return attached;
    auto locked = without_lock(domain, lock, [] { os::pause(std::chrono::milliseconds(5)); });
    if (!locked) return std::unexpected(locked.error());
  }
}

/// A driver may do without copies, and then not take a program as it is; generic mode always does.
Result<xdp::Attachment> bind_and_attach(Domain& domain, Domain::Lock& lock, Binding& binding,
                                        xdp::Claim claim) {
  for (;;) {
    if (auto bound = bind_queues(domain, lock, binding, claim); !bound) {
      return std::unexpected(bound.error());
    }
    auto attached = attach(domain, lock, binding, claim.mode);
    const bool may_copy = claim.copying == os::Copying::if_needed && binding.nic->is_zero_copy();
    if (attached || !may_copy) return attached;
    binding.nic.reset();
    claim.copying = os::Copying::always;
  }
}

/// Gives the endpoint its queues, and empty rings for them.
Result<> take_queues(Domain& domain, Domain::Lock& lock, Binding& binding,
                     const NicRequest& asked) {
  DomainState& state = domain.state();
  EndpointRecord& endpoint = state.endpoints[binding.endpoint];
  NicRecord& record = state.nic_of(endpoint);
  const auto claim = claim_of(state, *binding.memory, endpoint, asked);
  if (!claim) return std::unexpected(claim.error());
  const auto attached = bind_and_attach(domain, lock, binding, *claim);
  if (!attached) return std::unexpected(attached.error());
  NETMAP_POINT("nic: attached");
  record.link = attached->link;
  record.map = attached->map;
  record.mode = static_cast<std::uint8_t>(attached->mode);
  endpoint.xdp = static_cast<std::uint8_t>(binding.nic->mode());
  return prepare_rings(state, *binding.memory, endpoint);
}

/// Packets move from here on.
Result<> start_queues(Binding& binding, std::uint64_t offset) {
  const auto layout = find_rings(binding.memory->region()->bytes(), offset);
  if (!layout) return std::unexpected(layout.error());
  auto started = binding.nic->start(*layout);
  NETMAP_POINT("nic: started");
  return started;
}

/// Gives an endpoint that is recorded what a port has, and describes it.
Result<> furnish(Domain& domain, Domain::Lock& lock, const abi::nmreq_header& request,
                 const std::optional<os::Interface>& interface, const DeviceOptions& options,
                 Binding& binding, abi::nmreq_register& answer) {
  DomainState& state = domain.state();
  EndpointRecord& endpoint = state.endpoints[binding.endpoint];
  Result<> done;
  if (interface) {
    const auto offset = asked_offset(request, *binding.memory);
    if (!offset) return std::unexpected(offset.error());
    done = take_queues(domain, lock, binding,
                       {request.nr_name, *interface, *offset, options.xdp, options.busy_poll});
  } else if (endpoint.vale != no_switch) {
    done = empty_rings(state, *binding.memory, endpoint);
  } else if (endpoint.pipe == no_pipe) {
    done = make_null_rings(*binding.memory, endpoint, answer);
  } else {
    bind_rings(binding, state.pipe_of(endpoint), endpoint);
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
  endpoint.exclusive = (body.nr_flags & flag::exclusive) != 0;
  endpoint.lane = 0;
  endpoint.is_closed = false;
  endpoint.is_raw = false;
  endpoint.interface = no_object;
  endpoint.first_ring = no_object;
  endpoint.pipe = no_pipe;
  endpoint.end = End::master;
  endpoint.nic = no_nic;
  endpoint.vale = no_switch;
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

}  // namespace netmap::embedded
