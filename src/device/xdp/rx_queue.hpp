// SPDX-License-Identifier: BSD-2-Clause
//
// An rx ring whose packets come from a queue of an interface.
#pragma once

#include "device/device.hpp"
#include "device/own_ring.hpp"
#include "device/xdp/frames.hpp"
#include "device/xdp/rings.hpp"

#include <cstdint>

namespace netmap::xdp {

class RxQueue {
 public:
  /// `socket` is bound and outlives this. Gives the kernel the buffers of all slots but one: no
  /// ring shows all its slots.
  RxQueue(const RingPlace& at, const Frames& frames, const os::XdpSocket& socket,
          bool polls_busily) noexcept;

  /// Gives back the buffers of the slots before head, and shows what has come.
  SyncStatus sync() noexcept;
  /// The next sync that finds nothing finds out whether anything can come.
  void look_closely() noexcept { empty_syncs_ = 0; }
  [[nodiscard]] int fd() const noexcept { return socket_->fd(); }
  /// What the next sync will give back.
  [[nodiscard]] SlotRange handed_over() const noexcept { return ring_.handed_over(); }
  void serve(abi::netmap_ring& user) noexcept { ring_.serve(user); }
  [[nodiscard]] detail::Ledger& ledger() noexcept { return ring_.ledger(); }

 private:
  SyncStatus give_back(std::uint32_t head) noexcept;
  void give(std::uint32_t buffer) noexcept;
  SyncStatus show() noexcept;
  SyncStatus look_for_error() noexcept;

  OwnRing ring_;
  Frames frames_;
  const os::XdpSocket* socket_;
  bool polls_busily_;
  detail::Offsets offsets_;
  Producer<std::uint64_t> fill_;
  Consumer<os::XdpDescriptor> rx_;
  std::uint32_t kept_ = 0;  ///< the buffer that the kernel gets next
  std::uint32_t empty_syncs_ = 0;
  SyncStatus ended_;
};

}  // namespace netmap::xdp
