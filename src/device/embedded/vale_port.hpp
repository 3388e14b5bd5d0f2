// SPDX-License-Identifier: BSD-2-Clause
//
// What one open descriptor has of a VALE port: its rings, and its way to the other ports.
#pragma once

#include "device/embedded/vale_peers.hpp"
#include "device/embedded/vale_receiver.hpp"
#include "device/embedded/vale_sender.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace netmap::embedded {

class ValePort {
 public:
  /// Of an endpoint whose rings are as empty_rings() leaves them, or as others do who have them
  /// open.
  ValePort(std::shared_ptr<Domain> domain, const Memory& memory, std::uint32_t endpoint);

  SyncStatus sync_tx(Ringer& ringer) noexcept;
  SyncStatus sync_rx() noexcept;
  /// What the next sync will take of ring `n` of the endpoint.
  [[nodiscard]] SlotRange handed_over(Direction direction, std::size_t n) noexcept;
  /// As OwnRing::serve(), of ring `n` of the endpoint.
  void serve(Direction direction, std::size_t n, abi::netmap_ring& user) noexcept;
  /// Of ring `n` of the endpoint.
  [[nodiscard]] detail::Ledger& ledger(Direction direction, std::size_t n) noexcept;
  /// Whether the user has no slot to read.
  [[nodiscard]] bool is_empty() const noexcept;
  /// Packets that found no room in its rings.
  [[nodiscard]] std::uint64_t dropped() const noexcept;
  /// Whether the program has a bare pointer to a ring.
  [[nodiscard]] bool is_raw() noexcept;
  [[nodiscard]] std::vector<ValeReceiver>& receivers() noexcept { return receivers_; }

 private:
  std::shared_ptr<Domain> domain_;
  EndpointRecord* record_;
  ValePeers peers_;
  std::unique_ptr<std::uint64_t> last_source_;  ///< all senders know where it is
  std::vector<ValeSender> senders_;
  std::vector<ValeReceiver> receivers_;
  detail::Ledger nothing_;
};

}  // namespace netmap::embedded
