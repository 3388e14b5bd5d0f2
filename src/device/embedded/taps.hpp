// SPDX-License-Identifier: BSD-2-Clause
//
// The monitors that watch one open port, as who syncs it finds them in its own address space, and
// what each sync has for them:
//
//     a copying one that sees tx   what a tx ring is about to send
//     a copying one that sees rx   what comes to an rx ring: of an interface from who has it open,
//                                  of an end of a pipe from who sends at the other, of a switch's
//                                  port from each sender (vale_peers.hpp)
//     one that takes buffers       what comes back to a tx ring, and what an rx ring gives back
#pragma once

#include "device/embedded/tap.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace netmap::embedded {

class Taps {
 public:
  /// Of an endpoint whose rings are in `memory`; in the order of its rings.
  Taps(std::shared_ptr<Domain> domain, std::shared_ptr<Memory> memory, std::uint32_t endpoint);

  /// From here on takes the tail of ring `n` from `user`, instead of the ring itself.
  void serve(Direction direction, std::size_t n, const abi::netmap_ring& user) noexcept;

  /// Before the sync that takes `slots` from ring `n`; yields whether they have other buffers now.
  bool before(Direction direction, std::size_t n, const SlotRange& slots, Ringer& ringer) noexcept;
  /// After it.
  void after(Direction direction, std::size_t n, Ringer& ringer) noexcept;

 private:
  struct Copier {
    Tap tap;
    Direction seen;  ///< in which direction its monitor sees that
  };
  struct Ring {
    const abi::netmap_ring* user;  ///< whose tail counts
    std::uint32_t object;
    std::uint32_t number;
    std::uint32_t tail;  ///< before the sync
    std::vector<Copier> copiers;
    std::optional<Tap> taker;
  };
  void refresh() noexcept;
  void look(Ring& ring, Direction direction);
  [[nodiscard]] std::optional<Tap> find_next_taker(std::uint32_t ring, Direction direction) const;
  void show(const Ring& ring, const SlotRange& slots, Ringer& ringer) noexcept;
  [[nodiscard]] Ring* find(Direction direction, std::size_t n) noexcept;
  [[nodiscard]] std::uint32_t size_of(const Ring& ring) const noexcept;
  [[nodiscard]] std::uint32_t next(const Ring& ring, std::uint32_t slot) const noexcept;
  [[nodiscard]] SlotRange slots_between(const Ring& ring, std::uint32_t first,
                                        std::uint32_t end) const noexcept;
  [[nodiscard]] Watched watched(const Ring& ring, Direction seen) const noexcept;

  std::shared_ptr<Domain> domain_;
  std::shared_ptr<Memory> memory_;
  EndpointRecord* record_;
  std::uint16_t owner_;
  std::uint32_t changes_;
  std::vector<Ring> tx_;
  std::vector<Ring> rx_;
};

}  // namespace netmap::embedded
