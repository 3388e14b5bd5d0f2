// SPDX-License-Identifier: BSD-2-Clause
//
// The other ports of a switch, as one sender finds them in its own address space.
#pragma once

#include "device/embedded/mailbox.hpp"
#include "device/embedded/tap.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace netmap::embedded {

/// The rx ring of a port that somebody has open.
struct ValeOutlet {
  Mailbox mailbox;
  RingWords* words;            ///< the rx ring's, whose user may sleep
  std::uint16_t header_bytes;  ///< of virtio-net header
  std::vector<Tap> monitors;   ///< that see what comes to it
};

class ValePeers {
 public:
  /// Of the port `own` of `vale`; of some port, if the record that names it is damaged.
  ValePeers(std::shared_ptr<Domain> domain, const Switch& vale, std::uint16_t own);

  /// Looks again if the switch has changed. What cannot be mapped is not there, until it changes
  /// once more. Within a delivery, see EndpointRecord.
  void refresh() noexcept {
    const std::uint32_t changes = vale_->changes.load(std::memory_order_acquire);
    if (changes != changes_) [[unlikely]]
      look(changes);
  }

  /// Where packets for a port go that came by ring `ring`; null if nobody would get them.
  [[nodiscard]] const ValeOutlet* outlet(std::uint16_t port, std::uint32_t ring) const noexcept {
    const Peer& peer = peers_[port];
    if (peer.rings == 0) return nullptr;
    const ValeOutlet& outlet = peer.outlets[ring < peer.rings ? ring : ring % peer.rings];
    return outlet.words != nullptr ? &outlet : nullptr;
  }
  /// Of the virtio-net headers of the own port.
  [[nodiscard]] std::uint16_t header_bytes() const noexcept { return header_bytes_; }
  /// The ports that are there, but the own one.
  [[nodiscard]] const std::vector<std::uint16_t>& ports() const noexcept { return ports_; }

 private:
  struct Peer {
    std::shared_ptr<Memory> memory;
    std::uint32_t rings = 0;
    std::vector<ValeOutlet> outlets;
  };
  void look(std::uint32_t changes) noexcept;
  [[nodiscard]] Peer find(std::uint16_t index) const;

  std::shared_ptr<Domain> domain_;
  const Switch* vale_;
  std::uint16_t own_;
  std::uint16_t number_;  ///< the switch's
  bool is_alone_;         ///< on no switch
  std::uint32_t changes_;
  std::uint16_t header_bytes_ = 0;
  std::vector<Peer> peers_;
  std::vector<std::uint16_t> ports_;
};

}  // namespace netmap::embedded
