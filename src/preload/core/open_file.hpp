// SPDX-License-Identifier: BSD-2-Clause
//
// What is behind descriptors of /dev/netmap: one of the module's open files. It is there as long as
// this process has a descriptor of it, or is in a call.
#pragma once

#include "device/embedded/endpoint.hpp"
#include "port/layout.hpp"

#include <netmap/abi.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <system_error>
#include <vector>

#include <poll.h>

namespace netmap::preload {

class OpenFile {
 public:
  /// One that is not registered.
  explicit OpenFile(std::unique_ptr<embedded::Endpoint> device) : device_(std::move(device)) {}
  ~OpenFile();

  /// Of a port that is open already, by a copy of its life; see Endpoint::of().
  [[nodiscard]] static Result<std::shared_ptr<OpenFile>> of(os::File life);

  /// ioctl_number::ctrl.
  Result<> control(abi::nmreq_header& request);
  /// ioctl_number::txsync and rxsync. As the module does, it does not tell that a ring was reset.
  std::error_code sync(Direction direction) noexcept;
  /// What mmap(2) maps.
  [[nodiscard]] Result<std::shared_ptr<Region>> region();
  /// What all descriptors of the file are to be copies of once it is registered; before -1.
  [[nodiscard]] int life() const noexcept { return is_registered_ ? device_->life() : -1; }

  /// What poll(2) does: syncs, and yields which of `events`, or POLLERR, has come. Of `known` only
  /// what was still there before is left.
  [[nodiscard]] short look(short events, short& known) noexcept;
  /// Adds to `waits` what wakes when one of `events` may have come; who looks after that misses
  /// nothing. Yields what disarm() is to be called with.
  [[nodiscard]] Directions arm(short events, std::vector<pollfd>& waits);
  void disarm(Directions armed) noexcept;
  /// In a child of fork(2), which has none of its parent's threads.
  void forget_sleepers() noexcept { sleepers_ = {}; }

  /// Held while anything is opened, closed or asked for, but what concerns sync loops.
  [[nodiscard]] static std::mutex& control_mutex() noexcept;
  /// Held while it syncs.
  [[nodiscard]] std::mutex& mutex() noexcept { return mutex_; }

 private:
  Result<> find_rings(std::uint64_t offset);
  Result<> register_port(abi::nmreq_header& request);
  [[nodiscard]] Directions directions_of(short events) const noexcept;
  [[nodiscard]] short ready(short events) const noexcept;
  [[nodiscard]] int& sleepers(Direction direction) noexcept {
    return sleepers_[direction == Direction::rx ? 0 : 1];
  }

  std::mutex mutex_;
  std::unique_ptr<embedded::Endpoint> device_;
  std::atomic<bool> is_registered_ = false;
  bool flushes_ = true;  ///< in every poll: register_flags::no_tx_poll was not asked for
  Layout rings_{};
  std::array<int, 2> sleepers_{};  ///< threads that wait for rx, and for tx
};

}  // namespace netmap::preload
