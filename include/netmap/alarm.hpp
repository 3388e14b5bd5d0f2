// SPDX-License-Identifier: BSD-2-Clause
//
// How a foreign event loop, in whatever thread, waits for one direction of a port.
// Port::wait_handle alone is not enough for that: on the kernel device polling the handle is a
// sync, made by whoever polls, at the very moment when the port's user may be moving the ring. An
// alarm is polled freely:
//
//     look at the rings; nothing there: sync, look again; still nothing:
//     alarm.set(port)         until clear(), nobody touches rings of this direction
//     … the loop sees alarm.fd() readable …
//     alarm.clear(port)
//     sync, look; a wake-up that finds nothing waits again
//
// On the kernel device the descriptor is an epoll(7) of its own, with the port's in it only while
// the alarm is set; on the embedded device it is the port's.
#pragma once

#include <netmap/port.hpp>

#include <memory>

namespace netmap {

namespace os {
class OneShot;
}

/// Not for a port that was adopted without NR_NO_TX_POLL: its rx alarm would send.
/// Lifetime: within the port's. Thread: the port's; only fd() may be polled in others.
class Alarm {
 public:
  /// Fails with the system's error if there is no descriptor to spare.
  [[nodiscard]] static Result<Alarm> make(const Port& port, Direction direction);
  Alarm(Alarm&&) noexcept;
  Alarm& operator=(Alarm&&) noexcept;
  ~Alarm();

  /// To be polled for POLLIN.
  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// Whether polling fd() while the alarm is set moves rings.
  [[nodiscard]] bool moves_rings() const noexcept { return handle_.syncs; }

  /// Asks for a wake-up once a ring of the direction is ready (RxRing::is_ready,
  /// TxRing::is_ready). Yields false, and asks for nothing, if one is already.
  Result<bool> set(Port& port);
  /// Takes set() back and uses the wake-up up, if one came. Fails with ring_corrupt if the device
  /// reports an error.
  Result<> clear(Port& port);

 private:
  Alarm(Direction direction, WaitHandle handle, std::unique_ptr<os::OneShot> relay) noexcept;

  Direction direction_;
  WaitHandle handle_;
  std::unique_ptr<os::OneShot> relay_;
  int fd_;
};

}  // namespace netmap
