// SPDX-License-Identifier: BSD-2-Clause
//
// One direction of one pipe ring: the part that the module does inside a sync. The sender copies
// slot descriptors from its tx ring to the same slots of the peer's rx ring and publishes them;
// both slots then name one buffer, which is the receiver's until it gives the slot back. No packet
// byte moves. The receiver hands back, in the tx ring, the buffers it swapped.
#pragma once

#include <netmap/detail/memory.hpp>

#include "device/embedded/state.hpp"

#include <cstdint>
#include <system_error>
#include <vector>

namespace netmap::embedded {

/// Where one direction of a pipe ring lies in this process.
struct PipeRing {
  abi::netmap_ring* tx;
  abi::netmap_ring* rx;
  RingWords* words;
  std::uint32_t num_slots;

  [[nodiscard]] std::uint32_t next(std::uint32_t slot) const noexcept {
    return slot + 1 == num_slots ? 0 : slot + 1;
  }
  [[nodiscard]] std::uint32_t previous(std::uint32_t slot) const noexcept {
    return (slot == 0 ? num_slots : slot) - 1;
  }
  [[nodiscard]] std::uint32_t distance(std::uint32_t from, std::uint32_t to) const noexcept {
    return to >= from ? to - from : to + num_slots - from;
  }
  /// Whether `position` is one of first … last, as positions of this ring.
  [[nodiscard]] bool is_between(std::uint32_t first, std::uint32_t position,
                                std::uint32_t last) const noexcept {
    return position < num_slots && distance(first, position) <= distance(first, last);
  }
};

/// The sender's side of a ring, in the process that sends.
class PipeSender {
 public:
  /// Takes over the ring as its last user left it.
  explicit PipeSender(const PipeRing& ring) noexcept;

  /// Publishes the whole packets before head, then learns what came back. Fails with ring_corrupt
  /// if head is not owned or the peer returned what it was not given.
  std::error_code sync() noexcept;
  /// Whether the last sync() published something.
  [[nodiscard]] bool has_published() const noexcept { return has_published_; }
  [[nodiscard]] RingWords& words() const noexcept { return *ring_.words; }

 private:
  [[nodiscard]] std::uint32_t copy_packets(std::uint32_t from, std::uint32_t to) noexcept;
  std::error_code reclaim(std::uint32_t published) noexcept;

  PipeRing ring_;
  std::uint32_t returned_;  ///< as last seen
  std::uint32_t tail_;      ///< as last shown to the user
  bool has_published_ = false;
};

/// The receiver's side of a ring, in the process that receives.
class PipeReceiver {
 public:
  explicit PipeReceiver(const PipeRing& ring);

  /// Gives back the slots before head, then shows what was published. Fails with ring_corrupt if
  /// head is not owned or the peer published what it does not have.
  std::error_code sync() noexcept;
  /// Whether the last sync() gave something back.
  [[nodiscard]] bool has_returned() const noexcept { return has_returned_; }
  /// Slots the sender can fill now.
  [[nodiscard]] std::uint32_t free_slots() const noexcept;
  [[nodiscard]] RingWords& words() const noexcept { return *ring_.words; }

 private:
  void hand_back(std::uint32_t from, std::uint32_t to) noexcept;

  PipeRing ring_;
  std::uint32_t tail_;                ///< as last shown to the user
  std::vector<std::uint32_t> sent_;   ///< which buffer each slot was sent with
  bool has_returned_ = false;
};

/// Puts both rings of a direction into netmap's initial state, the buffers being `buffers`, one a
/// slot.
void initialise(const PipeRing& ring, const std::uint32_t* buffers) noexcept;
/// The buffers that the direction owns: of a slot that is out the receiver's, else the sender's.
[[nodiscard]] std::vector<std::uint32_t> buffers_of(const PipeRing& ring);

}  // namespace netmap::embedded
