// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/recount.hpp"

#include "device/embedded/nic.hpp"
#include "device/embedded/pipe.hpp"
#include "device/embedded/vale.hpp"

#include <algorithm>

namespace netmap::embedded {
namespace {

/// What is in rings that nobody has open, too.
void mark_all_rings(const DomainState& state, std::uint16_t memory_id, Memory& memory) {
  for (const PipeRecord& pipe : state.pipes) {
    if (pipe.in_use == 0 || pipe.memory_id != memory_id) continue;
    for_each_ring(pipe, memory,
                  [&](const PipeRing& ring, End, std::uint32_t) { mark_buffers(ring, memory); });
  }
  for (const NicRecord& nic : state.nics) {
    if (nic.in_use == 0 || nic.memory_id != memory_id) continue;
    for_each_object(nic, [&](std::uint32_t object) { mark_slots(memory, object); });
  }
  for_each_port(state, memory_id, [&](const SwitchPort& port) {
    for_each_object(port, [&](std::uint32_t object) { mark_slots(memory, object); });
  });
  for (const EndpointRecord& endpoint : state.endpoints) {
    if (endpoint.in_use == 0 || endpoint.memory_id != memory_id) continue;
    for_each_null_slot(endpoint, memory, [&](const abi::netmap_slot& slot) {
      memory.mark(detail::load(slot).index);
    });
  }
}

template <class Holds>
bool hold_for_all_users(const DomainState& state, std::uint16_t memory_id, Holds holds) {
  return std::ranges::all_of(state.endpoints, [&](const EndpointRecord& endpoint) {
    return endpoint.in_use == 0 || endpoint.memory_id != memory_id || holds(endpoint);
  });
}

/// A port may come into CSB mode after it has answered, and marks nothing from then on. It is
/// looked for after all the answers: what it got unmarked came before the last of them.
void conclude_recount(const DomainState& state, Memory& memory) {
  const auto is_not_raw = [](const EndpointRecord& endpoint) { return endpoint.is_raw == 0; };
  if (!hold_for_all_users(state, memory.id(), is_not_raw)) return memory.put_off_recount();
  mark_all_rings(state, memory.id(), memory);
  memory.finish_recount();
}

}  // namespace

void mark_buffers(const PipeRing& ring, Memory& memory) noexcept {
  const auto* tx = abi::slots_of(*ring.tx);
  const auto* rx = abi::slots_of(*ring.rx);
  const std::uint32_t returned = ring.words->returned.load(std::memory_order_acquire);
  const std::uint32_t published = ring.words->published.load(std::memory_order_acquire);
  for (std::uint32_t slot = 0; slot != ring.num_slots; ++slot) {
    memory.mark(detail::load(tx[slot]).index);
    const bool is_out = slot != published && ring.is_between(returned, slot, published);
    if (is_out) memory.mark(detail::load(rx[slot]).index);
  }
}

bool is_settled(const DomainState& state, std::uint16_t memory_id, std::uint32_t recount) {
  return hold_for_all_users(state, memory_id, [&](const EndpointRecord& endpoint) {
    return endpoint.answered.load(std::memory_order_acquire) == recount ||
           endpoint.is_raw.load(std::memory_order_acquire) != 0;
  });
}

std::set<std::uint16_t> used_memories(const DomainState& state) {
  std::set<std::uint16_t> used;
  for (const EndpointRecord& endpoint : state.endpoints) {
    if (endpoint.in_use != 0) used.insert(detail::load(endpoint.memory_id));
  }
  return used;
}

void start_recount(DomainState& state, Memory& memory) {
  memory.start_recount();
  state.attention |= attention::recount;
}

void renew_recount(DomainState& state, Memory& memory) {
  memory.renew_recount();
  state.attention |= attention::recount;
}

void finish_recounts(Domain& domain) {
  DomainState& state = domain.state();
  if ((state.attention & attention::recount) == 0) return;
  bool is_unfinished = false;
  for (const std::uint16_t memory_id : used_memories(state)) {
    const auto memory = Memory::of(domain, memory_id);
    if (!memory || (*memory)->recount() == 0) continue;
    if (is_settled(state, memory_id, (*memory)->recount())) conclude_recount(state, **memory);
    is_unfinished |= (*memory)->recount() != 0;
  }
  if (!is_unfinished) state.attention &= ~attention::recount;
}

}  // namespace netmap::embedded
