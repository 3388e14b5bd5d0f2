// SPDX-License-Identifier: BSD-2-Clause
//
// Pipes as records of a domain: finding, making and destroying them. Under the domain's lock.
#pragma once

#include "device/c_name.hpp"
#include "device/embedded/memory.hpp"
#include "device/embedded/pipe_ring.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace netmap::embedded {

/// "parent{id" or "parent}id", taken apart.
struct PipeName {
  std::string_view parent;
  std::string_view id;
  End end;
};
/// Nothing if `name` is not a pipe's. Parent or id may be empty, which no pipe may have.
[[nodiscard]] std::optional<PipeName> parse_pipe(std::string_view name);

[[nodiscard]] std::optional<std::uint16_t> find_pipe(const DomainState& state,
                                                     const PipeName& name);
/// The memory id of a parent that is an interface or a VALE port, else the one that its pipes
/// share, 0 if it has none.
[[nodiscard]] std::uint16_t memory_of_parent(const DomainState& state, std::string_view parent);

/// Rings and slots of a port; of a pipe as seen from one end. In a request for a pipe 0 is the
/// default, and the numbers are the master's whichever end it names, as the module has it.
struct PortShape {
  std::uint16_t tx_rings;
  std::uint16_t rx_rings;
  std::uint32_t tx_slots;
  std::uint32_t rx_slots;

  /// As a registration or a port_info_get answers it.
  template <class Body>
  void write_to(Body& body) const {
    body.nr_tx_rings = tx_rings;
    body.nr_rx_rings = rx_rings;
    body.nr_tx_slots = tx_slots;
    body.nr_rx_slots = rx_slots;
  }
};
inline constexpr std::uint32_t default_slots = 1024;

/// The shape that a new pipe gets for `asked`: defaults filled in, excess clamped as the module
/// does.
[[nodiscard]] PortShape clamp(const PortShape& asked);
[[nodiscard]] PortShape shape_of(const PipeRecord& pipe, End end);

[[nodiscard]] Result<std::uint16_t> make_pipe(DomainState& state, Memory& memory,
                                              std::uint16_t memory_id, const PipeName& name,
                                              const PortShape& shape);
/// Gives rings and buffers back; the record is the caller's to free. Nobody may use the pipe.
void destroy_pipe(const PipeRecord& pipe, Memory& memory);

/// Ring objects of `pipe`: tx ring `k` of `end`, and rx ring `k` of `end`.
[[nodiscard]] std::uint32_t tx_object(const PipeRecord& pipe, End end, std::uint32_t k);
[[nodiscard]] std::uint32_t rx_object(const PipeRecord& pipe, End end, std::uint32_t k);

/// Ring `k` of the direction in which `sender` sends.
[[nodiscard]] PipeRing pipe_ring(const PipeRecord& pipe, const Memory& memory, End sender,
                                 std::uint32_t k);

/// use(ring, sender, k) for every ring of the pipe, in both directions.
template <class Use>
void for_each_ring(const PipeRecord& pipe, const Memory& memory, Use&& use) {
  for (const End sender : {End::master, End::slave}) {
    const std::uint32_t rings = detail::load(pipe.rings[number(sender)]);
    for (std::uint32_t k = 0; k != std::min(rings, max_rings); ++k) {
      use(pipe_ring(pipe, memory, sender, k), sender, k);
    }
  }
}

/// How many ring objects it has.
[[nodiscard]] std::uint32_t total_rings(const PipeRecord& pipe);

/// Whether another endpoint has ring `k` of this one's port and direction, too.
[[nodiscard]] inline bool is_shared(const DomainState& state, const EndpointRecord& endpoint,
                                    RingRange EndpointRecord::* direction, std::uint16_t k) {
  return std::ranges::any_of(state.endpoints, [&](const EndpointRecord& user) {
    return &user != &endpoint && user.in_use != 0 && is_same_port(user, endpoint) &&
           (user.*direction).overlaps({k, 1});
  });
}

/// use(slot) for every slot of a ring object that is not a pipe's.
template <class Use>
void for_each_slot(const Memory& memory, std::uint32_t object, Use&& use) {
  auto& ring = memory.ring(object);
  const auto* const slots = abi::slots_of(ring);
  const std::uint32_t num_slots = detail::load(ring.num_slots);
  const std::uint32_t most = slots_of_ring(memory.pools());
  for (std::uint32_t slot = 0; slot != std::min(num_slots, most); ++slot) use(slots[slot]);
}
/// The same for all of an endpoint's own rings, if it is a null port.
template <class Use>
void for_each_null_slot(const EndpointRecord& endpoint, const Memory& memory, Use&& use) {
  if (endpoint.first_ring == no_object) return;
  const std::uint32_t rings = endpoint.tx.count + endpoint.rx.count;
  for (std::uint32_t i = 0; i != std::min(rings, 2 * max_rings); ++i) {
    for_each_slot(memory, endpoint.first_ring + i, use);
  }
}

/// Fills in what netmap(4) keeps in a ring's head. `is_tx`: its direction.
void describe_ring(const Memory& memory, std::uint32_t object, std::uint32_t index, bool is_tx,
                   std::uint32_t num_slots);
/// Gives all its slots other buffers.
[[nodiscard]] Result<> give_buffers(Memory& memory, std::uint32_t object, std::uint32_t num_slots);
/// As describe_ring(), and as if nobody had used it: all slots are free, or empty. They keep their
/// buffers.
void empty_ring(const Memory& memory, std::uint32_t object, std::uint32_t index, bool is_tx,
                std::uint32_t num_slots);

}  // namespace netmap::embedded
