// SPDX-License-Identifier: BSD-2-Clause
//
// The user's side of a tx ring of a VALE port. Finds out, packet by packet, which ports of the
// switch they are for, as the module does: who is known by its address gets what is for it, by the
// ring of the sender's number; what is for all or for somebody unknown all others get, by their
// first ring. Then copies them to the mailboxes of these.
//
// That goes port by port, not packet by packet, so in between there is no slot before which all has
// been sent. When a user of a shared tx ring dies there, the next one to sync it sends once more
// what some ports have got already.
#pragma once

#include "device/embedded/bell.hpp"
#include "device/embedded/vale_headers.hpp"
#include "device/embedded/vale_peers.hpp"
#include "device/own_ring.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace netmap::embedded {

class ValeSender {
 public:
  /// Ring `number` of the port `port` of `vale`. `owner` claims cells; `last_source` is the source
  /// of the last frame that came by any ring of the endpoint.
  ValeSender(const RingPlace& at, RingWords& words, Switch& vale, std::uint16_t port,
             std::uint32_t number, std::uint16_t owner, std::uint64_t& last_source);

  /// Whether the program has moved head.
  [[nodiscard]] bool has_news() const noexcept;
  /// Sends all that is before head; whoever has no room goes without, and the slots are free again.
  /// Fails with ring_corrupt if head or cur is not owned. Within a delivery.
  SyncStatus sync(const ValePeers& peers, Ringer& ringer) noexcept;

  /// What the next sync will send.
  [[nodiscard]] SlotRange handed_over() noexcept;
  void serve(abi::netmap_ring& user) noexcept { ring_.serve(user); }
  [[nodiscard]] detail::Ledger& ledger() noexcept { return ring_.ledger(); }

 private:
  static constexpr std::uint16_t none = UINT16_MAX;
  static constexpr std::size_t shortest_frame = 14;  ///< of Ethernet: two addresses and a type
  using Head = std::array<std::byte, shortest_frame>;
  /// One slot's bytes. The first of a packet knows how many there are, and the next packet that
  /// goes the same way.
  struct Fragment {
    const std::byte* bytes;
    std::uint16_t length;
    std::uint16_t count;
    std::uint16_t next;
    bool may_round;    ///< up to whole cache lines, which are all in the buffer
    bool is_indirect;  ///< it may not be memory of the process: who wrote the slot says where it is
  };
  /// Packets that go one way, in order.
  struct Queue {
    std::uint16_t first = none;
    std::uint16_t last = none;
    std::uint32_t fragments = 0;
  };

  /// The packets of two queues, in the order of the ring.
  class Merged {
   public:
    Merged(const std::vector<Fragment>& fragments, const Queue& one, const Queue& other) noexcept
        : packets_(&fragments),
          next_{one.first, other.first},
          fragments_(one.fragments + other.fragments) {}
    /// The packet whose turn it is, or none.
    [[nodiscard]] std::uint16_t next() const noexcept { return std::min(next_[0], next_[1]); }
    /// How many fragments it and those after it have.
    [[nodiscard]] std::uint32_t fragments() const noexcept { return fragments_; }
    void pass() noexcept {
      const Fragment& packet = (*packets_)[next()];
      (next_[0] < next_[1] ? next_[0] : next_[1]) = packet.next;
      fragments_ -= packet.count;
    }

   private:
    const std::vector<Fragment>* packets_;
    std::array<std::uint16_t, 2> next_;  // none is greater than any packet
    std::uint32_t fragments_;
  };

  void catch_up() noexcept;
  void collect(std::uint32_t head) noexcept;
  [[nodiscard]] Fragment fragment_of(const abi::netmap_slot& slot) const noexcept;
  void choose_ways() noexcept;
  [[nodiscard]] std::span<const std::byte> frame_of(std::size_t packet, Head& head) const noexcept;
  [[nodiscard]] std::uint16_t find_way(std::span<const std::byte> frame) noexcept;
  void append(Queue& queue, std::uint16_t packet) noexcept;
  void deliver_all(const ValePeers& peers, Ringer& ringer) noexcept;
  void deliver(const ValeOutlet& to, const Queue& one, const Queue& all, Ringer& ringer) noexcept;
  void copy_packets(const ValeOutlet& outlet, Merged& packets, Ringer& ringer) noexcept;
  void convert_packets(const ValeOutlet& to, Merged& packets, Ringer& ringer) noexcept;
  [[nodiscard]] bool put(const ValeOutlet& outlet, std::span<const Frame> frames,
                         Ringer& ringer) const noexcept;
  void put(const ValeOutlet& to, std::span<const std::uint16_t> cells,
           Ringer& ringer) const noexcept;
  [[nodiscard]] Frame gather(std::uint16_t packet) const;
  [[nodiscard]] static bool read(const Fragment& fragment, std::span<std::byte> into) noexcept;
  void write(const Mailbox& to, std::uint16_t packet,
             std::span<const std::uint16_t> cells) const noexcept;

  OwnRing ring_;
  RingWords* words_;
  Switch* vale_;
  std::uint16_t port_;
  std::uint32_t number_;
  std::uint16_t owner_;
  std::uint64_t* last_source_;
  std::uint16_t header_bytes_ = 0;  ///< of virtio-net header before each packet
  std::vector<Fragment> fragments_;
  std::vector<Queue> ways_;  ///< by port
  Queue all_;
  std::vector<std::uint16_t> used_;  ///< the ways that are not empty
};

}  // namespace netmap::embedded
