// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/vale_requests.hpp"

#include "device/embedded/collect.hpp"
#include "device/embedded/options.hpp"
#include "device/embedded/requests.hpp"
#include "device/xdp/nic.hpp"

#include <string>

namespace netmap::embedded {
namespace {

/// Of the system, or one that was made here.
bool is_interface(const DomainState& state, std::string_view name) {
  return find_vale_interface(state, name) || xdp::find_interface(std::string(name));
}

/// The port of a switch that a name means, if it is there.
Result<ValePlace> find_there(const DomainState& state, std::string_view name) {
  if (const auto place = find_vale_named(state, name)) return *place;
  return refuse(std::errc::no_such_device_or_address, "nobody has this VALE port open");
}

/// A name with a switch in it, which a request about one needs; `otherwise` if it is not
/// well-formed.
Result<ValeName> name_on_switch(std::string_view name, std::errc otherwise) {
  if (!is_vale_name(name)) {
    return refuse(std::errc::invalid_argument,
                  "this takes the name of a switch and of a port on it: 'vale0:port'");
  }
  if (const auto parsed = parse_vale(name)) return *parsed;
  return refuse(otherwise, "this is no name of a port on a VALE switch");
}

std::unexpected<Error> busy(const DomainState& state, ValePlace place) {
  if (is_open(state, place)) {
    return refuse(std::errc::device_or_resource_busy, "the port is open; close it first");
  }
  return refuse(std::errc::device_or_resource_busy,
                port_at(state, place).stays != 0
                    ? "the interface is on a switch; detach it first"
                    : "ports of a switch that come and go with who opens them are neither attached "
                      "nor detached");
}

/// The first port at or after a place, its name and where it is.
Result<> list_next(const DomainState& state, abi::nmreq_header& request) {
  auto& body = body_of<abi::nmreq_vale_list>(request);
  std::uint32_t port = body.nr_port_idx;
  for (std::uint32_t index = body.nr_bridge_idx; index < max_switches; ++index, port = 0) {
    const Switch& vale = state.switches[index];
    for (; port < max_switch_ports; ++port) {
      if (vale.ports[port].presence != SwitchPort::there) continue;
      const std::string name = full_name(vale, vale.ports[port]);
      request.nr_name[name.copy(request.nr_name, sizeof request.nr_name - 1)] = '\0';
      body.nr_bridge_idx = static_cast<std::uint16_t>(index);
      body.nr_port_idx = port;
      return {};
    }
  }
  return refuse(std::errc::no_such_file_or_directory, "there are no more ports on VALE switches");
}

}  // namespace

Result<ValeName> vale_name_of(const DomainState& state, std::string_view name) {
  const auto parsed = parse_vale(name);
  if (!parsed) {
    return refuse(std::errc::not_enough_memory,
                  "a VALE port is named 'vale<switch>:<port>', with at most " +
                      std::to_string(abi::interface_name_size - 1) +
                      " letters, digits and '_' before the colon and as many characters behind it");
  }
  if (is_interface(state, parsed->port)) {
    return refuse(
        std::errc::invalid_argument,
        "'" + std::string(parsed->port) +
            "' is a network interface, which has to be attached to a switch first; choose "
            "another name for the port");
  }
  return *parsed;
}

std::optional<ValePlace> find_vale_named(const DomainState& state, std::string_view name) {
  const auto parsed = is_vale_name(name) ? parse_vale(name) : std::nullopt;
  return parsed ? find_vale_port(state, *parsed) : find_vale_interface(state, name);
}

/// Only VALE ports have headers that can be set; the length is looked at first.
Result<> set_header(DomainState& state, const abi::nmreq_header& request) {
  const auto bytes = body_of<abi::nmreq_port_hdr>(request).nr_hdr_len;
  if (bytes != abi::vnet_hdr_len::none && bytes != abi::vnet_hdr_len::legacy &&
      bytes != abi::vnet_hdr_len::mergeable) {
    return refuse(std::errc::invalid_argument,
                  "a virtio-net header has 0, 10 or 12 bytes, not " + std::to_string(bytes));
  }
  if (!is_vale_name(request.nr_name)) {
    return refuse(std::errc::no_such_device_or_address, "only VALE ports have virtio-net headers");
  }
  const auto place = find_there(state, request.nr_name);
  if (!place) return std::unexpected(place.error());
  port_at(state, *place).header_bytes = static_cast<std::uint16_t>(bytes);
  ++state.switches[place->vale].changes;
  return {};
}

Result<> get_vale_header(const DomainState& state, const abi::nmreq_header& request) {
  const auto place = find_there(state, request.nr_name);
  if (!place) return std::unexpected(place.error());
  body_of<abi::nmreq_port_hdr>(request).nr_hdr_len = port_at(state, *place).header_bytes;
  return {};
}

/// With a name the place of that port, or of none on a switch that is there.
Result<> list_vale(const DomainState& state, abi::nmreq_header& request) {
  const std::string_view name = request.nr_name;
  if (name.empty()) return list_next(state, request);
  if (!name.starts_with(abi::vale_prefix)) {
    return refuse(std::errc::invalid_argument, "the names of VALE switches begin with 'vale'");
  }
  const auto parsed = parse_vale(name);
  const auto vale = parsed ? find_switch(state, parsed->vale) : std::nullopt;
  if (!vale) return refuse(std::errc::no_such_file_or_directory, "there is no such VALE switch");
  const auto place = find_vale_port(state, *parsed);
  auto& body = body_of<abi::nmreq_vale_list>(request);
  body.nr_bridge_idx = *vale;
  body.nr_port_idx = place ? place->port : abi::no_vale_port;
  return {};
}

Result<> make_interface(Domain& domain, const abi::nmreq_header& request) {
  DomainState& state = domain.state();
  auto& body = body_of<abi::nmreq_vale_newif>(request);
  const std::string_view name = request.nr_name;
  if (name.starts_with(abi::vale_prefix) || name.empty() ||
      name.size() >= abi::interface_name_size) {
    return refuse(std::errc::invalid_argument, "an interface has a name of 1 to " +
                                                   std::to_string(abi::interface_name_size - 1) +
                                                   " characters that does not begin with 'vale'");
  }
  if (is_interface(state, name)) {
    return refuse(std::errc::file_exists, "there is an interface of this name");
  }
  if (auto known = check_memory(state, body.nr_mem_id); !known) return known;
  const auto memory =
      Memory::of(domain, body.nr_mem_id != 0 ? body.nr_mem_id : unused_memory(state));
  if (!memory) return std::unexpected(memory.error());
  const auto place =
      make_vale_interface(state, **memory, name,
                          {body.nr_tx_rings, body.nr_rx_rings, body.nr_tx_slots, body.nr_rx_slots});
  if (!place) return std::unexpected(place.error());
  const SwitchPort& port = port_at(state, *place);
  shape_of(port).write_to(body);
  body.nr_mem_id = port.memory_id;
  return {};
}

Result<> remove_interface(Domain& domain, const abi::nmreq_header& request) {
  DomainState& state = domain.state();
  const auto place = find_vale_interface(state, request.nr_name);
  if (!place) {
    return xdp::find_interface(request.nr_name)
               ? refuse(std::errc::invalid_argument,
                        "this interface is the system's, and was not made by netmap")
               : refuse(std::errc::no_such_device_or_address, "there is no interface of this name");
  }
  if (place->vale != unattached || is_open(state, *place)) return busy(state, *place);
  port_at(state, *place).stays = 0;
  return collect(domain);
}

Result<> attach_interface(DomainState& state, const abi::nmreq_header& request) {
  auto& body = body_of<abi::nmreq_vale_attach>(request);
  if (auto known = check_memory(state, body.reg.nr_mem_id); !known) return known;
  const auto name = name_on_switch(request.nr_name, std::errc::not_enough_memory);
  if (!name) return std::unexpected(name.error());
  if (const auto there = find_vale_port(state, *name)) return busy(state, *there);
  const auto place = find_vale_interface(state, name->port);
  if (!place && xdp::find_interface(std::string(name->port))) {
    return std::unexpected(
        Error(errc::not_supported,
              "the embedded device has no threads that could move a network card's packets; a "
              "program has to, as 'nmx switch run' does"));
  }
  if (!place) return refuse(std::errc::invalid_argument, "there is no such interface");
  if (place->vale != unattached || is_open(state, *place)) return busy(state, *place);
  const auto attached = move_vale_interface(state, *place, name->vale);
  if (!attached) return std::unexpected(attached.error());
  ++state.switches[attached->vale].changes;
  body.port_index = attached->port;
  return {};
}

Result<> detach_interface(DomainState& state, const abi::nmreq_header& request) {
  const auto name = name_on_switch(request.nr_name, std::errc::no_such_device_or_address);
  if (!name) return std::unexpected(name.error());
  const auto place = find_vale_port(state, *name);
  if (!place) {
    return refuse(std::errc::no_such_device_or_address, "the switch has no port of this name");
  }
  const bool is_there_to_stay = port_at(state, *place).stays != 0;
  if (!is_there_to_stay || is_open(state, *place)) return busy(state, *place);
  if (const auto moved = move_vale_interface(state, *place, {}); !moved) {
    return std::unexpected(moved.error());
  }
  ++state.switches[place->vale].changes;
  body_of<abi::nmreq_vale_detach>(request).port_index = place->port;
  return {};
}

Result<> poll_interface(const DomainState& state, const abi::nmreq_header& request) {
  const auto name = name_on_switch(request.nr_name, std::errc::no_such_device_or_address);
  if (!name) return std::unexpected(name.error());
  if (!find_vale_port(state, *name)) {
    return refuse(std::errc::no_such_device_or_address, "the switch has no port of this name");
  }
  return refuse(std::errc::operation_not_supported, "only network cards on a switch are polled");
}

}  // namespace netmap::embedded
