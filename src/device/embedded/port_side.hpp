// SPDX-License-Identifier: BSD-2-Clause
//
// One ring of a port that is no pipe, as a sync loop has it. To sync it is to sync all of that
// direction; of the others only the tails move, which the loop does not tell before their turn.
#pragma once

#include "device/device.hpp"
#include "device/embedded/state.hpp"
#include "device/slot_range.hpp"

#include <cstddef>
#include <memory>

namespace netmap::embedded {

class Endpoint;

class PortSide {
 public:
  PortSide(Endpoint& port, Direction direction, std::size_t n, abi::netmap_ring& ring);

  void serve(abi::netmap_ring& user) noexcept;
  [[nodiscard]] bool sync() noexcept;
  /// The port has put it back already.
  void reset() noexcept {}
  /// Learns what there is, without the program.
  void look() noexcept;
  [[nodiscard]] SlotRange handed_over() const noexcept;

  [[nodiscard]] const abi::netmap_ring& ring() const noexcept { return *ring_; }
  /// Of these, published and returned, which say as of a pipe what the port has taken and given.
  /// Whoever sleeps at the port's other side is the port's to wake.
  [[nodiscard]] RingWords& words() const noexcept { return *words_; }
  [[nodiscard]] detail::Ledger& ledger() const noexcept;

 private:
  Endpoint* port_;
  Direction direction_;
  std::size_t n_;
  const abi::netmap_ring* ring_;
  const abi::netmap_ring* user_;  ///< whose head, cur and tail count
  std::unique_ptr<RingWords> words_;
};

struct PortSender : PortSide {
  PortSender(Endpoint& port, std::size_t n, abi::netmap_ring& ring)
      : PortSide(port, Direction::tx, n, ring) {}
};
struct PortReceiver : PortSide {
  PortReceiver(Endpoint& port, std::size_t n, abi::netmap_ring& ring)
      : PortSide(port, Direction::rx, n, ring) {}
};

}  // namespace netmap::embedded
