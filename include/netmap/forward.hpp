// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/ring.hpp>

namespace netmap {

/// What one call of forward() moved.
struct Forwarded {
  std::size_t packets = 0;
  std::size_t bytes = 0;
  /// Whether buffers were swapped; otherwise bytes were copied.
  bool zero_copy = false;
};

/// Moves up to `limit` whole packets from `rx` to `tx`, as many as fit, and hands over both sides.
/// Inside one region buffers are swapped, NS_BUF_CHANGED is set on both slots, and no byte moves;
/// between regions, or rings of different data offsets of which some slot has one, packets are
/// copied, in fragments of the other side's buffer size. Stops with ring_corrupt at a slot that
/// names no buffer; whole packets before it have been moved. Fails with packet_too_large if the
/// next packet has more fragments than `tx` can ever take.
/// Thread: the one that uses both ports.
Result<Forwarded> forward(RxRing& rx, TxRing& tx, std::size_t limit = SIZE_MAX);

}  // namespace netmap
