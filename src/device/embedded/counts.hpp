// SPDX-License-Identifier: BSD-2-Clause
//
// What moved through the rings of pipes and VALE ports, in the ring words, where other processes
// read it.
#pragma once

#include "device/embedded/state.hpp"
#include "device/own_ring.hpp"

#include <netmap/device.hpp>

#include <cstdint>

namespace netmap::embedded {

class Memory;

/// Adds what a user counted since `before`. One goes on from where the one before it stopped; two
/// at a time, who share a ring and do not take turns, may count too little.
inline void count(RingWords& words, const RingStats& before, const RingStats& now) noexcept {
  const auto add = [](std::atomic<std::uint64_t>& word, std::uint64_t more) {
    word.store(word.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  };
  if (now.packets != before.packets) add(words.packets, now.packets - before.packets);
  if (now.bytes != before.bytes) add(words.bytes, now.bytes - before.bytes);
}

/// OwnRing::pass(), counted in the ring's words, too.
inline void pass(OwnRing& ring, std::uint32_t end, RingWords& words) noexcept {
  const RingStats before = ring.counted();
  ring.pass(end);
  count(words, before, ring.counted());
}

inline void reset_counts(RingWords& words) noexcept {
  words.packets = 0;
  words.bytes = 0;
}

/// What was counted at the rings that an endpoint has of a pipe or of a VALE port. Under the
/// domain's lock.
[[nodiscard]] PortCounts counts_of(const DomainState& state, const Memory& memory,
                                   const EndpointRecord& endpoint);

}  // namespace netmap::embedded
