// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/monitors.hpp"

#include "device/embedded/bell.hpp"
#include "device/embedded/mailbox.hpp"
#include "device/embedded/nic.hpp"
#include "device/embedded/options.hpp"
#include "device/embedded/requests.hpp"
#include "device/embedded/resolve.hpp"
#include "device/embedded/vale_requests.hpp"

#include <algorithm>

namespace netmap::embedded {
namespace {

namespace flag = abi::register_flags;

/// A port that is there, whether anybody has it open or not.
struct Target {
  PortId id;
  PortShape shape;
  std::uint16_t memory_id;
};

std::unexpected<Error> not_open() {
  return refuse(std::errc::invalid_argument,
                "there is nothing to be watched: nobody has this port open");
}

Result<Target> find_nic_target(const DomainState& state, const os::Interface& interface) {
  const auto nic = find_nic(state, interface);
  if (!nic) return not_open();
  return Target{{.nic = *nic}, shape_of(state.nics[*nic]), state.nics[*nic].memory_id};
}

Result<Target> find_vale_target(const DomainState& state, const std::string& name) {
  const auto place = find_vale_named(state, name);
  if (place) {
    const SwitchPort& port = port_at(state, *place);
    return Target{{.vale = place->vale, .port = place->port}, shape_of(port), port.memory_id};
  }
  if (const auto parsed = vale_name_of(state, name); !parsed) {
    return std::unexpected(parsed.error());
  }
  return not_open();
}

Result<Target> find_pipe_target(const DomainState& state, const std::string& name) {
  const auto parsed = pipe_of(state, name);
  if (!parsed) return std::unexpected(parsed.error());
  const auto pipe = find_pipe(state, *parsed);
  if (!pipe) return not_open();
  const PipeRecord& record = state.pipes[*pipe];
  return Target{
      {.pipe = *pipe, .end = parsed->end}, shape_of(record, parsed->end), record.memory_id};
}

bool has_users(const DomainState& state, const PortId& id) {
  return std::ranges::any_of(state.endpoints, [&](const EndpointRecord& endpoint) {
    return endpoint.in_use != 0 && is_same_port(endpoint, id);
  });
}

Result<Target> find_target(const DomainState& state, const std::string& name,
                           const std::optional<os::Interface>& interface) {
  auto target = interface ? find_nic_target(state, *interface)
                : is_vale_name(name) || find_vale_interface(state, name)
                    ? find_vale_target(state, name)
                    : find_pipe_target(state, name);
  if (target && !has_users(state, target->id)) return not_open();
  return target;
}

/// One tx ring, which sends nothing, and an rx ring for each of either direction's numbers.
Result<PortShape> shape_for(const PortShape& watched, const abi::nmreq_register& asked) {
  const std::uint16_t rx_rings = std::max(watched.tx_rings, watched.rx_rings);
  if (rx_rings > max_monitor_rings) {
    return refuse(std::errc::not_enough_memory,
                  "a monitor has at most " + std::to_string(max_monitor_rings) +
                      " rings, and this port " + std::to_string(rx_rings));
  }
  const auto slots = [](std::uint32_t wanted, std::uint32_t otherwise) {
    return wanted == 0 ? otherwise : std::min(wanted, max_slots);
  };
  return PortShape{1, rx_rings, slots(asked.nr_tx_slots, watched.tx_slots),
                   slots(asked.nr_rx_slots, watched.rx_slots)};
}

/// Whether the endpoint's syncs give the monitor something: its own, or those by which packets come
/// to the other end of its pipe. Senders of a switch look for monitors of its ports themselves.
bool concerns(const SwitchPort& monitor, const EndpointRecord& endpoint) {
  if (is_same_port(monitor.watched, endpoint)) return true;
  return endpoint.pipe != no_pipe && endpoint.pipe == monitor.watched.pipe &&
         endpoint.end != monitor.watched.end;
}

/// Whether a monitor is to pass on to another what its own user has released.
bool passes_on(const DomainState& state, const EndpointRecord& endpoint) {
  if (endpoint.vale != monitors) return false;
  const SwitchPort& own = state.port_of(endpoint);
  bool has_next = false;
  for_each_monitor(state, [&](const SwitchPort& other) {
    has_next |= own.takes_buffers != 0 && other.takes_buffers != 0 && other.turn > own.turn &&
                is_same_port(other.watched, own.watched);
  });
  return has_next;
}

}  // namespace

bool is_monitor(const abi::nmreq_register& body) {
  return (body.nr_flags & (flag::monitor_tx | flag::monitor_rx | flag::zcopy_mon)) != 0;
}

Result<> make_monitor_of(Domain& domain, const std::string& name,
                         const std::optional<os::Interface>& interface, abi::nmreq_register& body,
                         EndpointRecord& endpoint) {
  DomainState& state = domain.state();
  const auto target = find_target(state, name, interface);
  if (!target) return std::unexpected(target.error());
  const auto shape = shape_for(target->shape, body);
  if (!shape) return std::unexpected(shape.error());
  if (auto selected = select_rings(body, *shape, endpoint); !selected) return selected;
  const bool takes_buffers = (body.nr_flags & flag::zcopy_mon) != 0;
  if (takes_buffers) body.nr_flags |= flag::monitor_tx | flag::monitor_rx;
  const auto memory = Memory::of(domain, takes_buffers ? target->memory_id : unused_memory(state));
  if (!memory) return std::unexpected(memory.error());
  const auto place = make_monitor(state, **memory,
                                  {target->id, (body.nr_flags & flag::monitor_tx) != 0,
                                   (body.nr_flags & flag::monitor_rx) != 0, takes_buffers},
                                  *shape);
  if (!place) return std::unexpected(place.error());
  endpoint.vale = place->vale;
  endpoint.port = place->port;
  endpoint.memory_id = (*memory)->id();
  shape->write_to(body);
  return {};
}

void tell_watched(Domain& domain) {
  DomainState& state = domain.state();
  if (state.switches[monitors].in_use == 0) return;
  ++state.switches[monitors].changes;
  for (const SwitchPort& monitor : state.switches[monitors].ports) {
    if (monitor.presence == SwitchPort::none || monitor.watched.vale >= unattached) continue;
    ++state.switch_of(monitor.watched).changes;
  }
  for (std::uint32_t user = 0; user != max_endpoints; ++user) {
    EndpointRecord& endpoint = state.endpoints[user];
    if (endpoint.in_use == 0) continue;
    bool is_watched = passes_on(state, endpoint);
    for_each_monitor(state,
                     [&](const SwitchPort& monitor) { is_watched |= concerns(monitor, endpoint); });
    endpoint.is_watched.store(is_watched, std::memory_order_release);
    if (endpoint.vale == monitors) Bell::ring(domain, user);
  }
}

void orphan_monitors(Domain& domain) {
  DomainState& state = domain.state();
  bool has_orphans = false;
  for_each_monitor(
      state, [&](const SwitchPort& monitor) { has_orphans |= !has_users(state, monitor.watched); });
  if (!has_orphans) return;
  for (SwitchPort& monitor : state.switches[monitors].ports) {
    if (!has_users(state, monitor.watched)) monitor.is_orphan = true;
  }
  tell_watched(domain);
}

void refill_monitors(Domain& domain) {
  DomainState& state = domain.state();
  for_each_monitor(state, [&](const SwitchPort& monitor) {
    const auto memory = Memory::of(domain, monitor.memory_id);
    if (!memory) return;
    const PortShape shape = shape_of(monitor);
    for (std::uint32_t k = 0; monitor.takes_buffers != 0 && k != shape.rx_rings; ++k) {
      const auto mailbox = Mailbox::in(**memory, mailbox_object(monitor, k), shape.rx_slots);
      for (Cell& cell : std::span(mailbox.cells, mailbox.size)) {
        if (detail::load(cell.buffer) != 0 || owner::is_alive(cell.owner, state)) continue;
        const auto buffer = (*memory)->take_buffers(1);
        if (buffer) detail::store(cell.buffer, buffer->front());
      }
    }
  });
  tell_of_death(domain, monitors);
}

}  // namespace netmap::embedded
