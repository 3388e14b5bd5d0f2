// SPDX-License-Identifier: BSD-2-Clause
//
// Faults on purpose, to see what a program does about them. A port opened with
// PortOptions::faults behaves as its device does, but for what is asked for here: packets are lost,
// doubled, damaged, overtaken and late, in both directions, syncs move less than they could or
// fail, and wake-ups come late or for nothing. The same seed makes the same choices.
//
// A packet that is late moves on in a sync of this port, whichever, or when it closes: whoever
// waits for one is woken for it.
//
// Such a port copies every packet between its device and memory of its own. So forwarding from it
// or to it copies, too; NS_INDIRECT has no effect; extra buffers are of its own memory, and
// external memory is the device's. It has no transparent mode, cannot be attached to a SyncLoop,
// and packets begin at the first byte of their buffers: Port::set_forwarding(), SyncLoop::attach()
// and open() with data offsets fail with errc::not_supported.
#pragma once

#include <chrono>
#include <cstdint>

namespace netmap {

/// Each number from 0 to 1 is how probable something is: never … always.
struct Faults {
  // Of a packet, on its way through.
  double drop = 0;       ///< it is lost
  double duplicate = 0;  ///< it comes twice
  double corrupt = 0;    ///< one bit of it is another
  double reorder = 0;    ///< the next one overtakes it, if one comes within a millisecond
  /// It waits a random time up to this; the order stays.
  std::chrono::nanoseconds delay{0};

  // Of a sync.
  double short_batch = 0;  ///< of the packets it could move, it moves a random number
  double fail = 0;         ///< it moves nothing and fails with errc::fault_injected

  // Of a wait.
  double spurious = 0;  ///< it is woken at once, for nothing
  /// Every second one is not woken by what it waits for, but after a random time up to this.
  std::chrono::nanoseconds late{0};

  std::uint64_t seed = 1;

  friend bool operator==(const Faults&, const Faults&) = default;
};

/// How often each has happened to a port.
struct FaultCounts {
  std::uint64_t dropped = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t reordered = 0;
  std::uint64_t delayed = 0;
  std::uint64_t short_batches = 0;
  std::uint64_t failed = 0;
  std::uint64_t spurious = 0;
  std::uint64_t late = 0;
};

}  // namespace netmap
