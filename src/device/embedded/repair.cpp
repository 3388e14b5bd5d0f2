// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/repair.hpp"

#include "device/embedded/pipe.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace netmap::embedded {
namespace {

/// A free slot of a sender that died. Its user may have committed it.
struct Unsent {
  PipeRing ring;
  std::uint32_t slot;

  [[nodiscard]] abi::netmap_slot& at() const noexcept { return abi::slots_of(*ring.tx)[slot]; }

  void uncommit() const noexcept {
    const std::uint32_t published = ring.words->published.load(std::memory_order_relaxed);
    const std::uint32_t head = detail::load(ring.tx->head);
    if (slot == head || !ring.is_between(published, slot, head)) return;
    detail::store(ring.tx->head, slot);
    detail::store(ring.tx->cur, slot);
  }
};

class Repair {
 public:
  /// Of the dead, who sent.
  void note(std::uint16_t memory_id, const PipeRing& ring) {
    const std::uint32_t published = ring.words->published.load(std::memory_order_relaxed);
    const std::uint32_t returned = ring.words->returned.load(std::memory_order_acquire);
    if (published >= ring.num_slots || returned >= ring.num_slots) return;
    for (std::uint32_t slot = published; slot != ring.previous(returned); slot = ring.next(slot)) {
      const Unsent unsent{ring, slot};
      unsent_.insert_or_assign({memory_id, detail::load(unsent.at()).index}, unsent);
    }
  }

  /// Of the dead, who received.
  void undo(std::uint16_t memory_id, const PipeRing& ring) {
    const std::uint32_t returned = ring.words->returned.load(std::memory_order_relaxed);
    const std::uint32_t published = ring.words->published.load(std::memory_order_acquire);
    std::uint32_t slot = detail::load(ring.rx->head);
    if (published >= ring.num_slots || returned >= ring.num_slots ||
        !ring.is_between(returned, slot, published)) {
      return;
    }
    for (; slot != published; slot = ring.next(slot)) {
      auto& received = abi::slots_of(*ring.rx)[slot];
      const auto& sent = abi::slots_of(*ring.tx)[slot];
      if (detail::load(received).index == detail::load(sent).index) {
        detail::store(received.ptr, detail::load(sent.ptr));  // which is exchanged first
        continue;
      }
      if (undo_exchange(memory_id, received, sent)) continue;
      release(ring, slot);
    }
  }

 private:
  using Name = std::pair<std::uint16_t, std::uint32_t>;  // memory id, buffer

  /// The packet is in a slot that was not sent; or was about to be, and its buffer had no name but
  /// the sender's when the process died. False if it was taken.
  bool undo_exchange(std::uint16_t memory_id, abi::netmap_slot& received,
                     const abi::netmap_slot& sent) {
    const std::uint32_t free = detail::load(received).index;
    const auto moved = unsent_.find({memory_id, detail::load(sent).index});
    if (moved != unsent_.end()) {
      const Unsent unsent = moved->second;
      unsent.uncommit();
      detail::store(unsent.at().buf_idx, free);
      unsent_.erase(moved);
      unsent_.emplace(Name{memory_id, free}, unsent);
    } else if (!unsent_.contains({memory_id, free})) {
      return false;
    }
    copy(received, sent);
    return true;
  }

  static void release(const PipeRing& ring, std::uint32_t slot) noexcept {
    if (slot != detail::load(ring.rx->head)) return;
    detail::store(ring.rx->cur, ring.next(slot));
    detail::store(ring.rx->head, ring.next(slot));
  }

  std::map<Name, Unsent> unsent_;
};

/// Whether nobody alive uses ring `k` of the endpoint's end and direction, too.
bool is_alone(const DomainState& state, std::span<const std::uint32_t> dead,
              const EndpointRecord& endpoint, RingRange EndpointRecord::* direction,
              std::uint16_t k) {
  for (std::uint32_t index = 0; index != max_endpoints; ++index) {
    const EndpointRecord& user = state.endpoints[index];
    if (user.in_use == 0 || user.pipe != endpoint.pipe || user.end != endpoint.end) continue;
    if ((user.*direction).overlaps({k, 1}) && std::ranges::count(dead, index) == 0) return false;
  }
  return true;
}

template <class Use>
void for_each_ring(Domain& domain, std::span<const std::uint32_t> dead,
                   RingRange EndpointRecord::* direction, Use&& use) {
  const DomainState& state = domain.state();
  for (const std::uint32_t index : dead) {
    const EndpointRecord& endpoint = state.endpoints[index];
    if (endpoint.pipe == no_pipe || endpoint.is_closed) continue;
    const auto memory = Memory::of(domain, endpoint.memory_id);
    if (!memory) continue;
    const End sender = direction == &EndpointRecord::tx ? endpoint.end : other(endpoint.end);
    const RingRange rings = endpoint.*direction;
    for (std::uint32_t k = rings.first; k < std::min(rings.end(), max_rings); ++k) {
      const auto ring = static_cast<std::uint16_t>(k);
      if (!is_alone(state, dead, endpoint, direction, ring)) continue;
      use(endpoint.memory_id, pipe_ring(state.pipe_of(endpoint), **memory, sender, k));
    }
  }
}

}  // namespace

void repair_rings(Domain& domain, std::span<const std::uint32_t> dead) {
  Repair repair;
  for_each_ring(
      domain, dead, &EndpointRecord::tx,
      [&](std::uint16_t memory_id, const PipeRing& ring) { repair.note(memory_id, ring); });
  for_each_ring(
      domain, dead, &EndpointRecord::rx,
      [&](std::uint16_t memory_id, const PipeRing& ring) { repair.undo(memory_id, ring); });
}

}  // namespace netmap::embedded
