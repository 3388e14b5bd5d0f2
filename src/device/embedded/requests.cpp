// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/requests.hpp"

#include "device/embedded/options.hpp"

#include <algorithm>

namespace netmap::embedded {
namespace {

template <class Body>
Body& body_of(const abi::nmreq_header& request) {
  return *reinterpret_cast<Body*>(static_cast<std::uintptr_t>(request.nr_body));
}

bool is_used(const DomainState& state, std::uint16_t memory_id) {
  const auto uses = [&](const auto& record) {
    return record.in_use != 0 && record.memory_id == memory_id;
  };
  return std::ranges::any_of(state.endpoints, uses) || std::ranges::any_of(state.pipes, uses);
}

/// A name that means no port asks about memory alone.
Result<> port_info(Domain& domain, const abi::nmreq_header& request) {
  auto& body = body_of<abi::nmreq_port_info_get>(request);
  abi::nmreq_port_info_get answer{};
  answer.nr_memsize = region_bytes;
  answer.nr_mem_id = body.nr_mem_id != 0 ? body.nr_mem_id : global_memory;
  if (request.nr_name[0] != '\0') {
    const auto name = pipe_of(request.nr_name);
    if (!name) return std::unexpected(name.error());
    const auto pipe = find_pipe(domain.state(), *name);
    const PipeShape shape =
        pipe ? shape_of(domain.state().pipes[*pipe], name->end) : clamp(PipeShape{});
    answer.nr_tx_rings = shape.tx_rings;
    answer.nr_rx_rings = shape.rx_rings;
    answer.nr_tx_slots = shape.tx_slots;
    answer.nr_rx_slots = shape.rx_slots;
    const std::uint16_t parents = memory_of_parent(domain.state(), name->parent);
    if (parents != 0) {
      answer.nr_mem_id = parents;
    } else {
      const auto chosen = choose_memory(domain, body.nr_mem_id);
      if (!chosen) return std::unexpected(chosen.error());
      answer.nr_mem_id = *chosen;
    }
  } else if (answer.nr_mem_id != global_memory && !is_used(domain.state(), answer.nr_mem_id)) {
    return refuse(std::errc::invalid_argument,
                  "there is no memory id " + std::to_string(answer.nr_mem_id) + " in this domain");
  }
  body = answer;
  return {};
}

Result<> pools_info(Domain& domain, const abi::nmreq_header& request) {
  const auto name = pipe_of(request.nr_name);
  if (!name) return std::unexpected(name.error());
  auto& body = body_of<abi::nmreq_pools_info>(request);
  body = {.nr_memsize = region_bytes,
          .nr_mem_id = memory_of_parent(domain.state(), name->parent),
          .pad1 = {},
          .nr_if_pool_offset = interface_pool.offset,
          .nr_if_pool_objtotal = interface_pool.objects,
          .nr_if_pool_objsize = interface_pool.object_bytes,
          .nr_ring_pool_offset = ring_pool.offset,
          .nr_ring_pool_objtotal = ring_pool.objects,
          .nr_ring_pool_objsize = ring_pool.object_bytes,
          .nr_buf_pool_offset = buffer_pool.offset,
          .nr_buf_pool_objtotal = buffer_pool.objects,
          .nr_buf_pool_objsize = buffer_pool.object_bytes};
  return {};
}

}  // namespace

Result<std::uint16_t> choose_memory(Domain& domain, std::uint16_t asked) {
  std::uint16_t memory_id = asked != 0 ? asked : global_memory + 1;
  const bool is_known = asked == global_memory || is_used(domain.state(), memory_id);
  if (asked != 0 && !is_known) {
    return refuse(std::errc::invalid_argument,
                  "there is no memory id " + std::to_string(asked) + " in this domain");
  }
  while (asked == 0 && is_used(domain.state(), memory_id)) ++memory_id;
  // A file of that name would be what a crash left.
  if (!is_used(domain.state(), memory_id)) Memory::remove(domain, memory_id);
  return memory_id;
}

Result<PipeName> pipe_of(std::string_view name) {
  const auto pipe = parse_pipe(name);
  if (!pipe) {
    if (name.starts_with(abi::vale_prefix)) {
      return std::unexpected(Error(errc::not_supported,
                                   "the embedded device has no VALE switches yet, only pipes "
                                   "('name{id' and 'name}id') and null ports"));
    }
    return refuse(std::errc::no_such_device_or_address,
                  "the embedded device has no port of this name; it offers pipes, 'name{id' and "
                  "'name}id' (for network cards use the kernel device)");
  }
  if (pipe->parent.empty() || pipe->id.empty()) {
    return refuse(std::errc::invalid_argument, "a pipe is named 'name{id' or 'name}id'");
  }
  return *pipe;
}

std::vector<OpenPort> list_ports(const DomainState& state) {
  std::vector<OpenPort> ports;
  for (const EndpointRecord& endpoint : state.endpoints) {
    if (endpoint.in_use == 0) continue;
    std::string name = "null port";
    if (endpoint.pipe != no_pipe) {
      const PipeRecord& pipe = state.pipes[endpoint.pipe];
      name = std::string(pipe.parent) + (endpoint.end == End::master ? '{' : '}') + pipe.id;
    }
    ports.push_back({std::move(name), endpoint.memory_id, endpoint.process});
  }
  return ports;
}

Result<> answer(Domain& domain, abi::nmreq_header& request) {
  switch (request.nr_reqtype) {
    case abi::request::port_info_get: return port_info(domain, request);
    case abi::request::pools_info_get: return pools_info(domain, request);
    default:
      return std::unexpected(
          Error(errc::not_supported, "the embedded device has pipes and null ports only; request " +
                                         std::to_string(request.nr_reqtype) + " is not for these"));
  }
}

}  // namespace netmap::embedded
