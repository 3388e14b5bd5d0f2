// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/recount.hpp"

#include "device/embedded/nic.hpp"
#include "device/embedded/pipe.hpp"

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
  for (const EndpointRecord& endpoint : state.endpoints) {
    if (endpoint.in_use == 0 || endpoint.memory_id != memory_id) continue;
    for_each_null_slot(endpoint, memory, [&](const abi::netmap_slot& slot) {
      memory.mark(detail::load(slot).index);
    });
  }
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

bool have_all_answered(const DomainState& state, std::uint16_t memory_id, std::uint32_t recount) {
  return std::ranges::all_of(state.endpoints, [&](const EndpointRecord& endpoint) {
    return endpoint.in_use == 0 || endpoint.memory_id != memory_id ||
           endpoint.answered.load(std::memory_order_acquire) == recount;
  });
}

std::set<std::uint16_t> used_memories(const DomainState& state) {
  std::set<std::uint16_t> used;
  for (const EndpointRecord& endpoint : state.endpoints) {
    if (endpoint.in_use != 0) used.insert(endpoint.memory_id);
  }
  return used;
}

void start_recount(DomainState& state, Memory& memory) {
  memory.start_recount();
  state.attention |= attention::recount;
}

void finish_recounts(Domain& domain) {
  DomainState& state = domain.state();
  if ((state.attention & attention::recount) == 0) return;
  bool is_unfinished = false;
  for (const std::uint16_t memory_id : used_memories(state)) {
    const auto memory = Memory::of(domain, memory_id);
    if (!memory || (*memory)->recount() == 0) continue;
    if (have_all_answered(state, memory_id, (*memory)->recount())) {
      mark_all_rings(state, memory_id, **memory);
      (*memory)->finish_recount();
    }
    is_unfinished |= (*memory)->recount() != 0;
  }
  if (!is_unfinished) state.attention &= ~attention::recount;
}

}  // namespace netmap::embedded
