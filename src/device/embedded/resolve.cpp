// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/resolve.hpp"

#include "device/embedded/monitors.hpp"
#include "device/embedded/nic.hpp"
#include "device/embedded/options.hpp"
#include "device/embedded/pipe.hpp"
#include "device/embedded/requests.hpp"
#include "device/embedded/vale.hpp"
#include "device/embedded/vale_requests.hpp"

#include <algorithm>
#include <bit>

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

}  // namespace

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

namespace {

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

}  // namespace

Result<> resolve(Domain& domain, const std::string& name,
                 const std::optional<os::Interface>& interface, abi::nmreq_register& body,
                 EndpointRecord& endpoint) {
  if (body.nr_mode == abi::mode::null) return resolve_null_port(body, endpoint);
  if (is_monitor(body)) return make_monitor_of(domain, name, interface, body, endpoint);
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

Result<std::optional<os::Interface>> interface_of(const DomainState& state, const std::string& name,
                                                  const abi::nmreq_register& body) {
  if (body.nr_mode == abi::mode::null || !is_nic_name(name)) return std::nullopt;
  if (find_vale_interface(state, name)) return std::nullopt;
  auto found = xdp::find_interface(name);
  if (!found) return std::unexpected(found.error());
  return *found;
}

std::uint32_t ring_object(const DomainState& state, const EndpointRecord& endpoint, bool is_tx,
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

}  // namespace netmap::embedded
