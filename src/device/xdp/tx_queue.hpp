// SPDX-License-Identifier: BSD-2-Clause
//
// A tx ring whose packets leave through a queue of an interface.
#pragma once

#include "device/device.hpp"
#include "device/own_ring.hpp"
#include "device/xdp/frames.hpp"
#include "device/xdp/rings.hpp"

#include <array>
#include <cstdint>

namespace netmap::xdp {

class TxQueue {
 public:
  /// `socket` is bound as `bound` says, and outlives this.
  TxQueue(const RingPlace& at, const Frames& frames, const os::XdpSocket& socket,
          const os::XdpSocket::Bound& bound) noexcept;

  /// Hands over the whole packets before head, and shows which slots are free again. Fails with
  /// packet_too_large for a packet of more fragments than there may be, which is dropped.
  SyncStatus sync() noexcept;
  [[nodiscard]] int fd() const noexcept { return socket_->fd(); }
  /// What the next sync will send.
  [[nodiscard]] SlotRange handed_over() const noexcept {
    return ring_.handed_over().whole_packets();
  }
  void serve(abi::netmap_ring& user) noexcept { ring_.serve(user); }
  [[nodiscard]] detail::Ledger& ledger() noexcept { return ring_.ledger(); }
  /// Whether free slots are asked for that the ring can have.
  [[nodiscard]] bool wants_room() noexcept { return ring_.ledger().wanted < ring_.size(); }

 private:
  /// Of one skb. Linux: MAX_SKB_FRAGS.
  static constexpr std::uint32_t max_fragments = 17;
  struct Packet {
    std::array<os::XdpDescriptor, max_fragments> fragments;
    std::uint32_t count = 0;  ///< which may be more than fit in there
    std::uint32_t bytes = 0;
    std::uint32_t end = 0;
    bool is_whole = false;
    bool is_sound = true;
    bool has_gaps = false;  ///< fragments without bytes, which the kernel keeps for ever
  };
  [[nodiscard]] Packet next_packet(std::uint32_t head) const noexcept;
  SyncStatus hand_over(std::uint32_t head) noexcept;
  void put(const Packet& packet) noexcept;
  void drop(const Packet& packet) noexcept;
  SyncStatus kick() noexcept;
  SyncStatus take_back() noexcept;
  bool take_back(std::uint32_t buffer) noexcept;

  OwnRing ring_;
  Frames frames_;
  const os::XdpSocket* socket_;
  Producer<os::XdpDescriptor> tx_;
  Consumer<std::uint64_t> completion_;
  std::uint64_t offset_mask_;
  std::uint32_t most_fragments_;
  std::uint32_t least_a_call_;  ///< packets that the kernel sends each time it is called
};

}  // namespace netmap::xdp
