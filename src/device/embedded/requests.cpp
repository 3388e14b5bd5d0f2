// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/requests.hpp"

#include "device/embedded/collect.hpp"
#include "device/embedded/counts.hpp"
#include "device/embedded/nic.hpp"
#include "device/embedded/options.hpp"
#include "device/embedded/vale_requests.hpp"

namespace netmap::embedded {
namespace {

/// The pools of a region as they are or, if nobody uses it yet, will be.
Result<abi::nmreq_pools_info> pools_of(Domain& domain, std::uint16_t memory_id) {
  if (!is_used(domain.state(), memory_id)) return describe(own_pools, region_bytes, memory_id);
  const auto memory = Memory::of(domain, memory_id);
  if (!memory) return std::unexpected(memory.error());
  return describe((*memory)->pools(), (*memory)->region()->bytes().size(), memory_id);
}

/// What a name is, or would be if it were opened now.
struct Named {
  PortShape shape;
  std::uint16_t memory_id;
  bool is_there;
};

/// `memory_id` is the one asked for, 0 if none.
Result<Named> find_interface(const DomainState& state, const std::string& name,
                             std::uint16_t memory_id) {
  const auto interface = xdp::find_interface(name);
  if (!interface) return std::unexpected(interface.error());
  if (const auto nic = find_nic(state, *interface)) {
    return Named{shape_of(state.nics[*nic]), state.nics[*nic].memory_id, true};
  }
  return Named{shape_of(*interface, {}), memory_id != 0 ? memory_id : global_memory, true};
}

Result<Named> find_vale(const DomainState& state, const std::string& name, std::uint16_t memory_id,
                        const PortShape& asked) {
  if (const auto place = find_vale_named(state, name)) {
    const SwitchPort& port = port_at(state, *place);
    return Named{shape_of(port), port.memory_id, true};
  }
  if (const auto parsed = vale_name_of(state, name); !parsed) {
    return std::unexpected(parsed.error());
  }
  return Named{vale_shape(asked), memory_id != 0 ? memory_id : unused_memory(state), false};
}

/// `asked` is what a port would be made with.
Result<Named> find(const DomainState& state, const std::string& name, std::uint16_t memory_id,
                   const PortShape& asked = {}) {
  if (is_vale_name(name) || find_vale_interface(state, name)) {
    return find_vale(state, name, memory_id, asked);
  }
  if (is_nic_name(name)) return find_interface(state, name, memory_id);
  const auto pipe_name = pipe_of(state, name);
  if (!pipe_name) return std::unexpected(pipe_name.error());
  if (const auto pipe = find_pipe(state, *pipe_name)) {
    const PipeRecord& record = state.pipes[*pipe];
    return Named{shape_of(record, pipe_name->end), record.memory_id, true};
  }
  return Named{clamp(PortShape{}), memory_of_new_pipe(state, pipe_name->parent, memory_id), false};
}

/// A name that means no port asks about memory alone.
Result<> port_info(Domain& domain, const abi::nmreq_header& request) {
  const DomainState& state = domain.state();
  auto& body = body_of<abi::nmreq_port_info_get>(request);
  if (auto known = check_memory(state, body.nr_mem_id); !known) return known;
  abi::nmreq_port_info_get answer{};
  answer.nr_mem_id = body.nr_mem_id != 0 ? body.nr_mem_id : global_memory;
  if (request.nr_name[0] != '\0') {
    const auto named =
        find(state, request.nr_name, body.nr_mem_id,
             {body.nr_tx_rings, body.nr_rx_rings, body.nr_tx_slots, body.nr_rx_slots});
    if (!named) return std::unexpected(named.error());
    named->shape.write_to(answer);
    answer.nr_mem_id = named->memory_id;
  }
  const auto pools = pools_of(domain, answer.nr_mem_id);
  if (!pools) return std::unexpected(pools.error());
  answer.nr_memsize = pools->nr_memsize;
  body = answer;
  return {};
}

Result<> pools_info(Domain& domain, const abi::nmreq_header& request) {
  auto& body = body_of<abi::nmreq_pools_info>(request);
  if (auto known = check_memory(domain.state(), body.nr_mem_id); !known) return known;
  const auto named = find(domain.state(), request.nr_name, body.nr_mem_id);
  if (!named) return std::unexpected(named.error());
  const auto pools = pools_of(domain, named->memory_id);
  if (!pools) return std::unexpected(pools.error());
  body = *pools;
  return {};
}

/// Of ports other than VALE's.
Result<> get_no_header(const DomainState& state, const abi::nmreq_header& request) {
  const auto named = find(state, request.nr_name, 0);
  if (!named) return std::unexpected(named.error());
  if (!named->is_there) {
    return refuse(std::errc::no_such_device, "nobody has this pipe open");
  }
  body_of<abi::nmreq_port_hdr>(request).nr_hdr_len = abi::vnet_hdr_len::none;
  return {};
}

Result<> get_header(const DomainState& state, const abi::nmreq_header& request) {
  const bool is_vale = is_vale_name(request.nr_name) || find_vale_interface(state, request.nr_name);
  return is_vale ? get_vale_header(state, request) : get_no_header(state, request);
}

}  // namespace

Result<> check_memory(const DomainState& state, std::uint16_t memory_id) {
  if (memory_id == 0 || memory_id == global_memory || is_used(state, memory_id)) return {};
  return refuse(std::errc::invalid_argument,
                "there is no memory id " + std::to_string(memory_id) + " in this domain");
}

std::uint16_t memory_of_new_pipe(const DomainState& state, std::string_view parent,
                                 std::uint16_t asked) {
  if (asked != 0) return asked;
  const std::uint16_t memory_id = memory_of_parent(state, parent);
  return memory_id != 0 ? memory_id : unused_memory(state);
}

std::uint16_t unused_memory(const DomainState& state) {
  std::uint16_t memory_id = global_memory + 1;
  while (is_used(state, memory_id)) ++memory_id;
  return memory_id;
}

Result<PipeName> pipe_of(const DomainState& state, std::string_view name) {
  const auto pipe = parse_pipe(name);
  if (!pipe) {
    return refuse(std::errc::no_such_device_or_address,
                  "the embedded device has no port of this name; it offers interfaces, VALE ports: "
                  "'vale<switch>:<port>', and pipes: 'name{id' and 'name}id'");
  }
  if (pipe->parent.empty() || pipe->id.empty()) {
    return refuse(std::errc::invalid_argument, "a pipe is named 'name{id' or 'name}id'");
  }
  if (is_vale_name(pipe->parent)) {
    if (const auto parent = vale_name_of(state, pipe->parent); !parent) {
      return std::unexpected(parent.error());
    }
  } else if (pipe->parent.size() >= abi::interface_name_size) {
    return refuse(std::errc::no_such_device_or_address,
                  "what stands before a pipe's bracket is an interface's name, of at most " +
                      std::to_string(abi::interface_name_size - 1) + " characters");
  }
  return *pipe;
}

namespace {

/// A monitor's is as netmap names ports that are opened as monitors.
std::string name_of(const DomainState& state, const PortId& id) {
  if (id.nic != no_nic) return std::string(stored_name(state.nic_of(id).name));
  if (id.vale == monitors) {
    const SwitchPort& monitor = state.port_of(id);
    const PortId watched = monitor.watched;
    std::string name = watched.vale == monitors ? "?" : name_of(state, watched);  // no monitor's
    name.append(monitor.sees_rx != 0 ? "/r" : "/").append(monitor.sees_tx != 0 ? "t" : "");
    return name.append(monitor.takes_buffers != 0 ? "z" : "");
  }
  if (id.vale != no_switch) return full_name(state.switch_of(id), state.port_of(id));
  if (id.pipe == no_pipe) return "null port";
  const PipeRecord& pipe = state.pipe_of(id);
  std::string name(stored_name(pipe.parent));
  return name.append(id.end == End::master ? "{" : "}").append(stored_name(pipe.id));
}

OpenPort describe(Domain& domain, const EndpointRecord& endpoint) {
  const DomainState& state = domain.state();
  OpenPort port{.name = name_of(state, endpoint),
                .memory_id = endpoint.memory_id,
                .process = endpoint.process,
                .tx_rings = endpoint.tx.count,
                .rx_rings = endpoint.rx.count};
  if (endpoint.nic != no_nic) {
    if (attachment_of(state, endpoint).link != 0) port.xdp = static_cast<XdpMode>(endpoint.xdp);
  }
  if (endpoint.vale != no_switch || endpoint.pipe != no_pipe) {
    const auto memory = Memory::existing(domain, endpoint.memory_id);
    if (memory) port.counts = counts_of(state, **memory, endpoint);
  }
  return port;
}

}  // namespace

std::vector<OpenPort> list_ports(Domain& domain) {
  const DomainState& state = domain.state();
  std::vector<OpenPort> ports;
  for (const EndpointRecord& endpoint : state.endpoints) {
    if (endpoint.in_use != 0) ports.push_back(describe(domain, endpoint));
  }
  for (std::uint16_t vale = 0; vale <= unattached; ++vale) {
    for (std::uint16_t index = 0; index != max_switch_ports; ++index) {
      const SwitchPort& port = state.switches[vale].ports[index];
      if (port.presence != SwitchPort::there || is_open(state, {vale, index})) continue;
      ports.push_back({full_name(state.switches[vale], port), port.memory_id});
    }
  }
  return ports;
}

Result<> answer(Domain& domain, abi::nmreq_header& request) {
  switch (request.nr_reqtype) {
    case abi::request::port_info_get: return port_info(domain, request);
    case abi::request::pools_info_get: return pools_info(domain, request);
    case abi::request::port_hdr_set: return set_header(domain.state(), request);
    case abi::request::port_hdr_get: return get_header(domain.state(), request);
    case abi::request::vale_list: return list_vale(domain.state(), request);
    case abi::request::vale_newif: return make_interface(domain, request);
    case abi::request::vale_delif: return remove_interface(domain, request);
    case abi::request::vale_attach: return attach_interface(domain.state(), request);
    case abi::request::vale_detach: return detach_interface(domain.state(), request);
    case abi::request::vale_polling_enable:
    case abi::request::vale_polling_disable: return poll_interface(domain.state(), request);
    default:
      return std::unexpected(
          Error(errc::not_supported, "the embedded device does not answer request " +
                                         std::to_string(request.nr_reqtype) + " yet"));
  }
}

}  // namespace netmap::embedded
