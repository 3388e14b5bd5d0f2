// SPDX-License-Identifier: BSD-2-Clause
//
// VALE switches and their ports as records of a domain: finding, making and destroying them. Under
// the domain's lock.
#pragma once

#include "device/embedded/memory.hpp"
#include "device/embedded/pipe.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace netmap::embedded {

/// "vale0:a", taken apart.
struct ValeName {
  std::string_view vale;
  std::string_view port;
};
/// Whether a name means a port of a switch, well-formed or not: the module looks at three letters.
[[nodiscard]] bool is_vale_name(std::string_view name);
/// Nothing if `name` is not well-formed: letters, digits and '_' before the colon, and at most 15
/// characters on either side.
[[nodiscard]] std::optional<ValeName> parse_vale(std::string_view name);

/// A port by its place: index of its switch, and of it there.
struct ValePlace {
  std::uint16_t vale;
  std::uint16_t port;
};
[[nodiscard]] inline SwitchPort& port_at(DomainState& state, ValePlace place) {
  return state.switches[place.vale].ports[place.port];
}
[[nodiscard]] inline const SwitchPort& port_at(const DomainState& state, ValePlace place) {
  return state.switches[place.vale].ports[place.port];
}

[[nodiscard]] std::optional<std::uint16_t> find_switch(const DomainState& state,
                                                       std::string_view name);
[[nodiscard]] std::optional<ValePlace> find_vale_port(const DomainState& state,
                                                      const ValeName& name);

/// The VALE interface of that name, be it on a switch or not.
[[nodiscard]] std::optional<ValePlace> find_vale_interface(const DomainState& state,
                                                           std::string_view name);

/// Makes the port, and its switch if it is the first there.
[[nodiscard]] Result<ValePlace> make_vale_port(DomainState& state, Memory& memory,
                                               const ValeName& name, const PortShape& asked);
/// Makes a port that stays, on no switch.
[[nodiscard]] Result<ValePlace> make_vale_interface(DomainState& state, Memory& memory,
                                                    std::string_view name, const PortShape& asked);
/// Takes a VALE interface that nobody has open from where it is to a switch, made if need be, or
/// away from one if that is empty. Yields where it is now.
[[nodiscard]] Result<ValePlace> move_vale_interface(DomainState& state, ValePlace from,
                                                    std::string_view vale);

/// What a monitor is to watch, see monitors.hpp.
struct Watch {
  PortId port;
  bool sees_tx = false;
  bool sees_rx = false;
  bool takes_buffers = false;
};
/// Makes a port that is a monitor.
[[nodiscard]] Result<ValePlace> make_monitor(DomainState& state, Memory& memory, const Watch& watch,
                                             const PortShape& shape);

/// The shape that a new port gets for `asked`, and that of a port.
[[nodiscard]] PortShape vale_shape(const PortShape& asked);
[[nodiscard]] PortShape shape_of(const SwitchPort& port);

/// Ring objects of a port: of its rings `k`, and of the mailbox of rx ring `k`.
[[nodiscard]] constexpr std::uint32_t tx_object(const SwitchPort& port, std::uint32_t k) {
  return port.first_ring + k;
}
[[nodiscard]] constexpr std::uint32_t rx_object(const SwitchPort& port, std::uint32_t k) {
  return port.first_ring + port.tx_rings + k;
}
[[nodiscard]] constexpr std::uint32_t mailbox_object(const SwitchPort& port, std::uint32_t k) {
  return port.first_ring + port.tx_rings + port.rx_rings + k;
}
/// How many it has.
[[nodiscard]] constexpr std::uint32_t total_rings(const SwitchPort& port) {
  return port.tx_rings + 2U * port.rx_rings;
}
/// use(ring object) for each of them.
template <class Use>
void for_each_object(const SwitchPort& port, Use&& use) {
  const std::uint32_t rings = std::min(total_rings(port), max_switch_rings + 2 * max_monitor_rings);
  for (std::uint32_t k = 0; k != rings; ++k) use(port.first_ring + k);
}

/// use(port) for each whose memory it is.
template <class Use>
void for_each_port(const DomainState& state, std::uint16_t memory_id, Use&& use) {
  for (const Switch& vale : state.switches) {
    if (vale.in_use == 0) continue;
    for (const SwitchPort& port : vale.ports) {
      if (port.presence != SwitchPort::none && port.memory_id == memory_id) use(port);
    }
  }
}

/// A port's name, with its switch's.
[[nodiscard]] std::string full_name(const Switch& vale, const SwitchPort& port);

/// Whether an endpoint has this port of that switch open, and whether any has.
[[nodiscard]] bool is_at(const PortId& id, ValePlace place);
[[nodiscard]] bool is_open(const DomainState& state, ValePlace place);

/// Gives the rings of an endpoint that nobody else has open their first state, with other buffers
/// if their last user died. Fails with device_or_resource_busy if a sender that found them before,
/// for who had them open before, is not done with them.
[[nodiscard]] Result<> empty_rings(DomainState& state, Memory& memory,
                                   const EndpointRecord& endpoint);
/// Lets senders find the rx rings of an endpoint.
void announce(DomainState& state, const EndpointRecord& endpoint);
/// The endpoint's user died.
void leave_rings(SwitchPort& port, const EndpointRecord& endpoint) noexcept;

/// A sender died: what it had claimed is to be looked for in the mailboxes of its switch.
void tell_of_death(Domain& domain, std::uint16_t vale);

/// Takes away the ports that nobody has open, and what those let go of that are still there.
/// `was_left`: somebody died who may have begun to, and told nobody.
void collect_switches(Domain& domain, bool was_left);

}  // namespace netmap::embedded
