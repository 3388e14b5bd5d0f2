// SPDX-License-Identifier: BSD-2-Clause
//
// Spreads the packets of one port over pipes. A packet goes to one pipe of the first group; once it
// was read there, it goes to one pipe of the second group, and so on; in the end its buffers are
// free again. Buffers are exchanged, no byte moves, unless the input is a capture, whose memory is
// its own.
#pragma once

#include "outlet.hpp"
#include "overflow.hpp"
#include "traffic.hpp"

#include <netmap/netmap.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace nmx {

/// Everything a balancer works on.
struct Balance {
  /// Outlets that receive every packet once, together.
  struct Group {
    std::size_t first = 0;
    std::size_t count = 0;
  };

  netmap::Port input;
  std::deque<Outlet> outlets = {};
  std::vector<Group> groups = {};
  /// What packets are kept in for which a pipe has no room.
  std::vector<netmap::Buffer> overflow = {};
  /// Through which packets pass from group to group; none if there is one group.
  std::optional<netmap::Buffer> spare = {};
};

class Balancer {
 public:
  /// `count`: how many packets to receive at most; 0: no end. `spin`: how long to look again before
  /// sleeping, if not the usual time.
  Balancer(Balance& work, std::uint32_t batch, std::uint64_t count,
           std::optional<std::chrono::nanoseconds> spin);

  /// Spreads packets until stopped, or until the last was received and none is queued or has yet to
  /// go to another group; then lets what was sent be taken for at most a second.
  netmap::Result<> run(Counters& counters);

  [[nodiscard]] std::uint64_t non_ip() const { return non_ip_; }
  [[nodiscard]] std::uint32_t free_buffers() const { return free_buffers_; }
  /// Slots that were sent and that nobody took.
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  using Group = Balance::Group;

  netmap::Result<std::uint64_t> round(Counters& counters);
  netmap::Result<> prepare();
  netmap::Result<> pass_on(Outlet& from, const Group& to);
  netmap::Result<> empty_queue(std::size_t queue);
  netmap::Result<std::uint64_t> receive(netmap::RxRing& ring, Counters& counters);
  netmap::Result<> finish();

  [[nodiscard]] std::size_t choose(const Group& group, std::uint32_t hash) const {
    return group.first + static_cast<std::size_t>(std::uint64_t{hash} * group.count >> 32);
  }
  /// Sends a packet of so many slots to its pipe, queues it or drops it. each(use) has to call
  /// use(slot, piece) for all of them, up to the first that fails. Yields false if the packet has
  /// to wait where it is.
  template <class Each>
  netmap::Result<bool> place(const Group& group, std::uint32_t hash, std::size_t slots, Each each);
  [[gnu::noinline]] netmap::Result<bool> place_received(netmap::RxSlots::iterator slot,
                                                        std::size_t slots, std::uint32_t hash);
  /// Whether its pipe takes a packet of so many slots at once.
  [[nodiscard]] bool has_room(const Outlet& outlet, std::size_t n, std::size_t slots) const {
    return slots <= outlet.room() && overflow_.empty(n);
  }
  /// True, or which forwarding failed.
  [[nodiscard]] netmap::Result<bool> outcome(const Outlet& to, const netmap::Result<>& done) const;
  [[nodiscard]] std::unexpected<netmap::Error> cannot_forward(const Outlet& to,
                                                              const netmap::Error& why) const;
  netmap::Result<> send(Outlet& to, netmap::RxSlot& slot, const Piece& piece);
  netmap::Result<> send(Outlet& to, netmap::TxSlot& slot, const Piece& piece);

  netmap::Result<bool> wait(std::chrono::nanoseconds timeout);
  netmap::Result<bool> ask(std::size_t n);
  netmap::Result<> drain();

  struct Awaited {
    std::size_t outlet;
    std::size_t slots;
  };

  Balance& work_;
  std::uint32_t batch_;
  std::uint64_t unreceived_;  ///< of the count
  bool is_capture_;           ///< then packets are copied, and wait for room
  std::chrono::nanoseconds spin_;
  bool has_ended_ = false;          ///< nothing more is to come
  std::optional<Awaited> awaited_;  ///< what the capture's next packet waits for
  std::vector<netmap::Wanted> wanted_;
  Overflow overflow_;  ///< work_.overflow[cell] has what the cell holds
  std::atomic<std::uint64_t> non_ip_ = 0;
  std::atomic<std::uint32_t> free_buffers_ = 0;
  std::size_t left_ = 0;
};

}  // namespace nmx
