// SPDX-License-Identifier: BSD-2-Clause
//
// Syncing without system calls: a thread lends itself to a loop that syncs a port's rings all the
// time, in the kernel if that is where the device is, and the program's own syncs only exchange
// ring positions with it, through memory (netmap's CSB mode). It costs that thread's processor.
//
//     netmap::Port port = netmap::open("netmap:eth0").value();
//     netmap::SyncLoop loop = netmap::SyncLoop::attach(port).value();
//     std::jthread helper([&] { (void)loop.run(); });
//     …                                    // the port as ever: rings, sync_tx(), sync_rx(), wait()
//     (void)loop.stop();                   // before the port closes
//
// From attach() on nothing moves unless run() runs. A sync hands over what was committed or
// released, and shows what the loop had found by then: that is sent or received a moment later, so
// a program that wants to know syncs again. wait() looks again and again and does not sleep;
// wait_handle() has nothing to poll, so asynchronous ports cannot be attached.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/error.hpp>
#include <netmap/port.hpp>

#include <chrono>
#include <cstdint>
#include <span>

namespace netmap {

/// A port in CSB mode, and the loop that syncs it; see above. Lifetime: within the port's.
class SyncLoop {
 public:
  /// Puts a port into CSB mode, for as long as it is open. Fails with EINVAL if the port was opened
  /// as shared, with EBUSY if it has a loop already, and with not_supported if it is a null port.
  [[nodiscard]] static Result<SyncLoop> attach(Port& port);

  /// Syncs the port's rings in the calling thread until stop() is called, pausing after each round,
  /// for at most a second. Fails with EBUSY if another thread is in here, with EINVAL if the pause
  /// is too long, or with what the device says.
  Result<> run(std::chrono::microseconds pause = std::chrono::microseconds(0));

  /// As run() above, but there is a pair of eventfd(2) descriptors, which have to outlive the call,
  /// for each ring of the port, tx rings first, or none at all. The loop writes to irqfd when its
  /// ring has more to show. If every ring has an ioeventfd, the loop sleeps, instead of pausing,
  /// until one is written to or the device has something: write to it after each sync of that ring.
  /// -1 does without. `mode`, of abi::kloop_mode: rings that are synced only when their ioeventfd
  /// is written to. Fails with EINVAL if the pairs are too few or too many, if `mode` is unknown,
  /// or needs an ioeventfd that is not there, or if a descriptor is no eventfd, with EBADF if one
  /// is not open, and with not_supported if the device has no such thing, once the loop has ended.
  Result<> run(std::span<const abi::EventFds> events, std::uint32_t mode = 0,
               std::chrono::microseconds pause = std::chrono::microseconds(0));

  /// Ends run(), and returns when it has ended; called by another thread. If nobody runs the loop,
  /// the next run() returns at once.
  Result<> stop();

 private:
  explicit SyncLoop(Device& device) noexcept : device_(&device) {}

  Device* device_;  ///< the port's, which has to outlive run() and stop()
};

}  // namespace netmap
