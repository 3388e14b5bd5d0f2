// SPDX-License-Identifier: BSD-2-Clause
//
// Queues of a network interface as rings of a port, by AF_XDP: the slots' buffers are the frames
// that the kernel reads and writes.
#pragma once

#include "device/device.hpp"
#include "device/xdp/frames.hpp"
#include "os/interface.hpp"
#include "port/layout.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace netmap::xdp {

/// How an interface's XDP program is attached; other processes know it by these ids.
struct Attachment {
  std::uint32_t link = 0;  ///< 0: it is not
  std::uint32_t map = 0;
  XdpMode mode = XdpMode::automatic;
};

inline constexpr std::uint32_t max_queues = 64;  ///< of an interface

/// What a port is to have of an interface.
struct Claim {
  struct Queues {
    std::uint32_t first;
    std::uint32_t count;
    std::uint32_t slots;

    [[nodiscard]] bool has(std::uint32_t queue) const { return queue - first < count; }
  };

  std::string name;
  os::Interface interface;
  Queues tx;
  Queues rx;
  Frames frames;
  bool busy_poll;
  XdpMode mode;         ///< of the XDP program, if others have none attached; not zero_copy
  os::Copying copying;  ///< if it is not always, the frames are aligned
};

class Nic {
 public:
  Nic() = default;
  Nic(const Nic&) = delete;
  Nic& operator=(const Nic&) = delete;
  virtual ~Nic() = default;

  /// Attaches the interface's XDP program, as `mode` says, or joins those who have. Fails with
  /// no_such_file_or_directory if they have let go of it. Without copies it has to be native.
  virtual Result<Attachment> attach(XdpMode mode, const Attachment& others) = 0;
  /// Once it is attached: from here on packets move. The rings of `layout` are those that were
  /// claimed; tx rings are free, rx rings empty, and their buffers nobody else's.
  virtual Result<> start(const Layout& layout) = 0;

  virtual SyncStatus sync_tx() noexcept = 0;
  virtual SyncStatus sync_rx() noexcept = 0;
  /// What the next sync will take of ring `n` of the layout.
  [[nodiscard]] virtual SlotRange handed_over(Direction direction,
                                              std::size_t n) const noexcept = 0;
  /// As OwnRing::serve(), of ring `n` of the layout.
  virtual void serve(Direction direction, std::size_t n, abi::netmap_ring& user) noexcept = 0;
  /// Of ring `n` of the layout.
  [[nodiscard]] virtual detail::Ledger& ledger(Direction direction, std::size_t n) noexcept = 0;
  /// Whether the program has a bare pointer to a ring.
  [[nodiscard]] virtual bool is_raw() noexcept = 0;
  [[nodiscard]] virtual WaitHandle wait_handle(Direction direction) const noexcept = 0;
  virtual void arm(Directions directions) noexcept = 0;
  virtual void disarm(Directions directions) noexcept = 0;
  /// Precondition of this and the next: it is attached.
  [[nodiscard]] virtual const Attachment& attachment() const noexcept = 0;
  [[nodiscard]] XdpMode mode() const noexcept {
    return is_zero_copy() ? XdpMode::zero_copy : attachment().mode;
  }
  /// Of all its queues.
  [[nodiscard]] virtual bool is_zero_copy() const noexcept = 0;
  [[nodiscard]] virtual XdpCounts counts() const noexcept = 0;
};

/// What is known of an interface. Fails with no_such_device_or_address, as the module does, if
/// there is none of that name in the calling thread's network namespace.
[[nodiscard]] Result<os::Interface> find_interface(const std::string& name);

/// Whether the calling thread's network namespace has an interface of that index, or that cannot be
/// told.
[[nodiscard]] bool has_interface(std::uint32_t index);

/// Whether its largest packets have room in one frame.
[[nodiscard]] bool fits(const os::Interface& interface, const Frames& frames);

/// How long the kernel may take, when it is busy, to let go of what a closed socket or program had.
inline constexpr std::chrono::seconds release_limit{5};

/// Takes hold of the queues, for which it waits `release_limit` at most. Once that is done, the
/// kernel has let go of all frames that former sockets on them had.
[[nodiscard]] Result<std::unique_ptr<Nic>> bind(const Claim& claim);

}  // namespace netmap::xdp
