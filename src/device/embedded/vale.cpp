// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/vale.hpp"

#include "device/embedded/counts.hpp"
#include "device/embedded/mailbox.hpp"
#include "device/embedded/monitors.hpp"
#include "device/embedded/options.hpp"
#include "device/embedded/recount.hpp"
#include "point.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <string>

namespace netmap::embedded {
namespace {

using namespace std::chrono_literals;

bool is_there(const SwitchPort& port) {
  return port.presence == SwitchPort::there;
}

/// use(endpoint) for everybody who has a port of that switch open.
template <class Use>
void for_each_user(const DomainState& state, std::uint16_t vale, Use&& use) {
  for (const EndpointRecord& endpoint : state.endpoints) {
    if (endpoint.in_use != 0 && endpoint.vale == vale) use(endpoint);
  }
}
/// The same for everybody who may deliver to its ports: to monitors whoever has any port open.
template <class Use>
void for_each_sender(const DomainState& state, std::uint16_t vale, Use&& use) {
  for (const EndpointRecord& endpoint : state.endpoints) {
    if (endpoint.in_use != 0 && (vale == monitors || endpoint.vale == vale)) use(endpoint);
  }
}

/// Waits until all deliveries have ended that had begun when the switch last changed. One ends in
/// no time, but for those of processes that are stopped: false if there may be one of these.
bool wait_for_deliveries(const DomainState& state, std::uint16_t vale,
                         std::chrono::milliseconds patience) {
  using Clock = std::chrono::steady_clock;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  os::barrier();
  bool are_over = true;
  const auto end = Clock::now() + patience;
  for_each_sender(state, vale, [&](const EndpointRecord& endpoint) {
    const std::uint32_t begun = endpoint.deliveries.load(std::memory_order_acquire);
    if (begun % 2 == 0) return;
    while (endpoint.deliveries.load(std::memory_order_acquire) == begun && Clock::now() < end) {
      os::pause(std::chrono::microseconds(50));
    }
    are_over &= endpoint.deliveries.load(std::memory_order_acquire) != begun;
  });
  return are_over;
}

/// A bit for each ring.
std::uint64_t bits(RingRange rings) {
  std::uint64_t set = 0;
  for (std::uint32_t k = rings.first; k < std::min(rings.end(), max_monitor_rings); ++k) {
    set |= std::uint64_t{1} << k;
  }
  return set;
}
/// use(ring) for each bit.
template <class Use>
void for_each_bit(std::uint64_t set, Use&& use) {
  for (std::uint32_t k = 0; k != max_monitor_rings; ++k) {
    if ((set >> k & 1) != 0) use(k);
  }
}

Result<std::uint16_t> find_or_make_switch(DomainState& state, std::string_view name) {
  if (const auto found = find_switch(state, name)) return *found;
  const std::span switches(state.switches, max_switches);
  const auto free =
      std::ranges::find_if(switches, [](const Switch& vale) { return vale.in_use == 0; });
  if (free == switches.end()) {
    return refuse(std::errc::not_enough_memory,
                  "the domain has " + std::to_string(max_switches) +
                      " VALE switches already; close all ports of one");
  }
  store_name(free->name, name);
  for (auto& station : free->stations) station.store(0, std::memory_order_relaxed);
  for (SwitchPort& port : free->ports) port.left = 0;
  free->in_use = 1;
  return static_cast<std::uint16_t>(free - switches.begin());
}

/// The place that was left last, else the first that was never taken.
Result<std::uint16_t> find_free(const SwitchPort (&ports)[max_switch_ports]) {
  const SwitchPort* found = nullptr;
  for (const SwitchPort& port : ports) {
    if (port.presence != SwitchPort::none) continue;
    if (found == nullptr || port.left > found->left) found = &port;
  }
  if (found != nullptr) return static_cast<std::uint16_t>(found - std::begin(ports));
  return refuse(std::errc::not_enough_memory,
                "the switch has " + std::to_string(max_switch_ports) + " ports already");
}

/// Rings and buffers of a port whose record is filled in but for these.
Result<> make_rings(Memory& memory, SwitchPort& port, const PortShape& shape) {
  const std::uint32_t slots = shape.tx_rings * shape.tx_slots + 2 * shape.rx_rings * shape.rx_slots;
  const std::uint32_t count = shape.tx_rings + 2U * shape.rx_rings;
  const auto buffers = memory.take_buffers(slots);
  if (!buffers) return std::unexpected(buffers.error());
  NETMAP_POINT("vale: buffers taken");
  const auto rings = memory.take_rings(count, std::max(shape.tx_slots, shape.rx_slots));
  if (!rings) {
    for (const std::uint32_t buffer : *buffers) memory.give_back_buffer(buffer);
    return std::unexpected(rings.error());
  }
  port.first_ring = *rings;
  const std::uint32_t* next = buffers->data();
  for (std::uint32_t i = 0; i != count; ++i) {
    const bool is_tx = i < shape.tx_rings;
    const std::uint32_t index = is_tx ? i : (i - shape.tx_rings) % shape.rx_rings;
    const std::uint32_t size = is_tx ? shape.tx_slots : shape.rx_slots;
    abi::netmap_slot* const first = abi::slots_of(memory.ring(*rings + i));
    for (std::uint32_t slot = 0; slot != size; ++slot) first[slot].buf_idx = *next++;
    empty_ring(memory, *rings + i, index, is_tx, size);
    reset_counts(memory.words(*rings + i));
  }
  return {};
}

/// Of one whose user died a recount finds the buffers.
void destroy(Domain& domain, SwitchPort& port) {
  if (const auto memory = Memory::of(domain, port.memory_id)) {
    const bool was_left = (port.tx_was_left | port.rx_was_left) != 0;
    for_each_object(port, [&](std::uint32_t object) {
      if (was_left) return;
      for_each_slot(**memory, object, [&](const abi::netmap_slot& slot) {
        (*memory)->give_back_buffer(slot.buf_idx);
      });
    });
    (*memory)->give_back_rings(port.first_ring, total_rings(port));
    if (was_left) start_recount(domain.state(), **memory);
  }
  NETMAP_POINT("vale: port destroyed");
  port.presence = SwitchPort::none;
}

/// Its place is the next to be taken.
void leave(const Switch& vale, SwitchPort& port) {
  port.left = 1 + std::ranges::max_element(vale.ports, {}, &SwitchPort::left)->left;
}

void copy(SwitchPort& to, const SwitchPort& from) {
  to.memory_id = from.memory_id;
  to.tx_rings = from.tx_rings;
  to.rx_rings = from.rx_rings;
  to.tx_slots = from.tx_slots;
  to.rx_slots = from.rx_slots;
  to.first_ring = from.first_ring;
  to.rx_open = from.rx_open.load();
  to.header_bytes = from.header_bytes.load();
  to.stays = from.stays.load();
  to.rx_was_open = from.rx_was_open;
  to.tx_was_left = from.tx_was_left;
  to.rx_was_left = from.rx_was_left;
  std::ranges::copy(from.name, to.name);
}

/// One who died while moving an interface may have left it where it came from, too.
void remove_doubles(DomainState& state) {
  for (SwitchPort& port : state.switches[unattached].ports) {
    if (!is_there(port)) continue;
    const auto first = find_vale_interface(state, stored_name(port.name));
    if (first && first->vale != unattached) port.presence = SwitchPort::none;
  }
}

/// Whether it is the parent of a pipe.
bool has_pipes(const DomainState& state, const std::string& name) {
  return std::ranges::any_of(state.pipes, [&](const PipeRecord& pipe) {
    return pipe.in_use != 0 && stored_name(pipe.parent) == name;
  });
}

/// Rings that an endpoint has and nobody else, a bit for each.
struct Fresh {
  std::uint64_t tx;
  std::uint64_t rx;
};
Fresh fresh_rings(const DomainState& state, const SwitchPort& port,
                  const EndpointRecord& endpoint) {
  std::uint64_t tx_open = 0;
  for_each_user(state, endpoint.vale, [&](const EndpointRecord& other) {
    if (&other != &endpoint && other.port == endpoint.port) tx_open |= bits(other.tx);
  });
  return {bits(endpoint.tx) & ~tx_open, bits(endpoint.rx) & ~port.rx_open};
}

/// Gives those that a dead user left other buffers; a recount finds the former ones.
Result<> replace_left(DomainState& state, Memory& memory, SwitchPort& port, Fresh fresh) {
  const PortShape shape = shape_of(port);
  const std::uint64_t tx = fresh.tx & port.tx_was_left;
  const std::uint64_t rx = fresh.rx & port.rx_was_left;
  Result<> done;
  const auto replace = [&](std::uint32_t object, std::uint32_t slots) {
    if (done) done = give_buffers(memory, object, slots);
  };
  for_each_bit(tx, [&](std::uint32_t k) { replace(tx_object(port, k), shape.tx_slots); });
  for_each_bit(rx, [&](std::uint32_t k) {
    replace(rx_object(port, k), shape.rx_slots);
    replace(mailbox_object(port, k), shape.rx_slots);
  });
  if ((tx | rx) != 0) start_recount(state, memory);
  if (!done) return done;
  port.tx_was_left ^= tx;
  port.rx_was_left ^= rx;
  return done;
}

/// What nobody has open any more senders are not to find; yields whether that is news.
bool withdraw(DomainState& state, ValePlace place) {
  Switch& vale = state.switches[place.vale];
  SwitchPort& port = port_at(state, place);
  bool has_users = port.stays != 0 || has_pipes(state, full_name(vale, port));
  std::uint64_t open = 0;
  for_each_user(state, place.vale, [&](const EndpointRecord& endpoint) {
    if (!is_at(endpoint, place)) return;
    has_users = true;
    open |= bits(endpoint.rx);
  });
  const std::uint64_t before = port.rx_open;
  if (has_users && (before & ~open) == 0) return false;
  port.rx_open = before & open;
  if (!has_users) {
    leave(vale, port);
    port.presence = SwitchPort::leaving;
  }
  return true;
}

}  // namespace

bool is_vale_name(std::string_view name) {
  return name.starts_with(std::string_view(abi::vale_prefix).substr(0, 3)) && !parse_pipe(name);
}

std::optional<ValeName> parse_vale(std::string_view name) {
  const auto colon = name.find(':');
  if (colon == std::string_view::npos) return {};
  const ValeName parsed{name.substr(0, colon), name.substr(colon + 1)};
  const bool is_word = std::ranges::all_of(parsed.vale, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  });
  if (!is_word || parsed.vale.size() >= abi::interface_name_size ||
      parsed.port.size() >= abi::interface_name_size) {
    return {};
  }
  return parsed;
}

std::optional<std::uint16_t> find_switch(const DomainState& state, std::string_view name) {
  const auto found = std::ranges::find_if(state.switches, [&](const Switch& vale) {
    return vale.in_use != 0 && stored_name(vale.name) == name;
  });
  if (found == std::end(state.switches)) return {};
  return static_cast<std::uint16_t>(found - std::begin(state.switches));
}

std::optional<ValePlace> find_vale_interface(const DomainState& state, std::string_view name) {
  for (std::uint16_t vale = 0; vale <= unattached; ++vale) {
    for (std::uint16_t index = 0; index != max_switch_ports; ++index) {
      const SwitchPort& port = state.switches[vale].ports[index];
      if (is_there(port) && port.stays != 0 && stored_name(port.name) == name) {
        return ValePlace{vale, index};
      }
    }
  }
  return {};
}

std::optional<ValePlace> find_vale_port(const DomainState& state, const ValeName& name) {
  const auto vale = find_switch(state, name.vale);
  if (!vale) return {};
  const auto& ports = state.switches[*vale].ports;
  const auto found = std::ranges::find_if(ports, [&](const SwitchPort& port) {
    return is_there(port) && stored_name(port.name) == name.port;
  });
  if (found == std::end(ports)) return {};
  return ValePlace{*vale, static_cast<std::uint16_t>(found - std::begin(ports))};
}

std::string full_name(const Switch& vale, const SwitchPort& port) {
  std::string name(stored_name(vale.name));
  if (name.empty()) return std::string(stored_name(port.name));
  return name.append(":").append(stored_name(port.name));
}

PortShape vale_shape(const PortShape& asked) {
  PortShape shape = clamp(asked);
  shape.tx_rings = std::min<std::uint16_t>(shape.tx_rings, max_switch_rings);
  shape.rx_rings = std::min<std::uint16_t>(shape.rx_rings, max_switch_rings);
  return shape;
}

PortShape shape_of(const SwitchPort& port) {
  PortShape shape = clamp({port.tx_rings, port.rx_rings, port.tx_slots, port.rx_slots});
  shape.tx_rings = std::min<std::uint16_t>(shape.tx_rings, max_switch_rings);
  shape.rx_rings = std::min<std::uint16_t>(shape.rx_rings, max_monitor_rings);
  return shape;
}

namespace {

Result<ValePlace> make_port(DomainState& state, Memory& memory, std::uint16_t vale,
                            std::string_view name, const PortShape& shape, bool stays,
                            const Watch& watch = {}) {
  auto& ports = state.switches[vale].ports;
  const auto free = find_free(ports);
  if (!free) return std::unexpected(free.error());
  SwitchPort& port = ports[*free];
  port.memory_id = memory.id();
  port.tx_rings = shape.tx_rings;
  port.rx_rings = shape.rx_rings;
  port.tx_slots = shape.tx_slots;
  port.rx_slots = shape.rx_slots;
  port.rx_open = port.rx_was_open = 0;
  port.tx_was_left = port.rx_was_left = 0;
  port.header_bytes = abi::vnet_hdr_len::none;
  port.stays = stays;
  store_name(port.name, name);
  port.watched = watch.port;
  port.sees_tx = watch.sees_tx;
  port.sees_rx = watch.sees_rx;
  port.takes_buffers = watch.takes_buffers;
  port.is_orphan = false;
  port.turn = 1 + std::ranges::max_element(ports, {}, &SwitchPort::turn)->turn;
  if (auto made = make_rings(memory, port, shape); !made) return std::unexpected(made.error());
  NETMAP_POINT("vale: port made");
  port.presence.store(SwitchPort::there, std::memory_order_release);
  return ValePlace{vale, *free};
}

}  // namespace

Result<ValePlace> make_vale_port(DomainState& state, Memory& memory, const ValeName& name,
                                 const PortShape& asked) {
  const auto vale = find_or_make_switch(state, name.vale);
  if (!vale) return std::unexpected(vale.error());
  return make_port(state, memory, *vale, name.port, vale_shape(asked), false);
}

Result<ValePlace> make_vale_interface(DomainState& state, Memory& memory, std::string_view name,
                                      const PortShape& asked) {
  state.switches[unattached].in_use = 1;
  return make_port(state, memory, unattached, name, vale_shape(asked), true);
}

Result<ValePlace> make_monitor(DomainState& state, Memory& memory, const Watch& watch,
                               const PortShape& shape) {
  state.switches[monitors].in_use = 1;
  return make_port(state, memory, monitors, {}, shape, false, watch);
}

/// While it is at two places, that on a switch counts.
Result<ValePlace> move_vale_interface(DomainState& state, ValePlace from, std::string_view name) {
  state.switches[unattached].in_use = 1;
  const auto vale =
      name.empty() ? Result<std::uint16_t>(unattached) : find_or_make_switch(state, name);
  if (!vale) return std::unexpected(vale.error());
  const auto free = find_free(state.switches[*vale].ports);
  if (!free) return std::unexpected(free.error());
  const ValePlace to{*vale, *free};
  SwitchPort& old = port_at(state, from);
  SwitchPort& port = port_at(state, to);
  copy(port, old);
  NETMAP_POINT("attach: copied");
  port.presence.store(SwitchPort::there, std::memory_order_release);
  NETMAP_POINT("attach: at two places");
  leave(state.switches[from.vale], old);
  old.presence = SwitchPort::none;
  return to;
}

bool is_at(const PortId& id, ValePlace place) {
  return id.vale == place.vale && id.port == place.port;
}

bool is_open(const DomainState& state, ValePlace place) {
  return std::ranges::any_of(state.endpoints, [&](const EndpointRecord& endpoint) {
    return endpoint.in_use != 0 && is_at(endpoint, place);
  });
}

void leave_rings(SwitchPort& port, const EndpointRecord& endpoint) noexcept {
  port.tx_was_left |= bits(endpoint.tx);
  port.rx_was_left |= bits(endpoint.rx);
}

Result<> empty_rings(DomainState& state, Memory& memory, const EndpointRecord& endpoint) {
  SwitchPort& port = state.port_of(endpoint);
  const PortShape shape = shape_of(port);
  if (std::max(shape.tx_slots, shape.rx_slots) > slots_of_ring(memory.pools())) {
    return std::unexpected(damaged("a switch's port"));
  }
  const auto fresh = fresh_rings(state, port, endpoint);
  if ((fresh.rx & port.rx_was_open) != 0 && !wait_for_deliveries(state, endpoint.vale, 1s)) {
    return refuse(std::errc::device_or_resource_busy,
                  "a process is sending to the former user of this port, and does not end; it may "
                  "be stopped");
  }
  if (auto given = replace_left(state, memory, port, fresh); !given) return given;
  for_each_bit(fresh.tx, [&](std::uint32_t k) {
    empty_ring(memory, tx_object(port, k), k, true, shape.tx_slots);
    reset_counts(memory.words(tx_object(port, k)));
  });
  for_each_bit(fresh.rx, [&](std::uint32_t k) {
    empty_ring(memory, rx_object(port, k), k, false, shape.rx_slots);
    reset_counts(memory.words(rx_object(port, k)));
    Mailbox::in(memory, mailbox_object(port, k), shape.rx_slots).reset();
  });
  NETMAP_POINT("vale: rings emptied");
  return {};
}

void announce(DomainState& state, const EndpointRecord& endpoint) {
  SwitchPort& port = state.port_of(endpoint);
  port.rx_was_open |= bits(endpoint.rx);
  port.rx_open |= bits(endpoint.rx);
  ++state.switch_of(endpoint).changes;
}

void tell_of_death(Domain& domain, std::uint16_t vale) {
  for (const SwitchPort& port : domain.state().switches[vale].ports) {
    if (port.presence == SwitchPort::none) continue;
    const auto memory = Memory::of(domain, port.memory_id);
    if (!memory) continue;
    const PortShape shape = shape_of(port);
    for (std::uint32_t k = 0; k != shape.rx_rings; ++k) {
      ++Mailbox::in(**memory, mailbox_object(port, k), shape.rx_slots).words->deaths;
    }
  }
}

void collect_switches(Domain& domain, bool was_left) {
  DomainState& state = domain.state();
  if (state.switches[unattached].in_use != 0) remove_doubles(state);
  for (std::uint16_t index = 0; index != switch_records; ++index) {
    Switch& vale = state.switches[index];
    if (vale.in_use == 0) continue;
    bool has_changed = was_left;
    bool has_leavers = false;
    for (std::uint16_t port = 0; port != max_switch_ports; ++port) {
      if (is_there(vale.ports[port])) has_changed |= withdraw(state, {index, port});
      has_leavers |= vale.ports[port].presence == SwitchPort::leaving;
    }
    NETMAP_POINT("vale: withdrawn");
    if (has_changed) ++vale.changes;
    if (has_changed && index == monitors) tell_watched(domain);
    if (has_leavers && wait_for_deliveries(state, index, 10ms)) {
      for (SwitchPort& port : vale.ports) {
        if (port.presence == SwitchPort::leaving) destroy(domain, port);
      }
    }
    const bool is_empty = std::ranges::all_of(
        vale.ports, [](const SwitchPort& port) { return port.presence == SwitchPort::none; });
    if (is_empty) vale.in_use = 0;
  }
}

}  // namespace netmap::embedded
