// SPDX-License-Identifier: BSD-2-Clause
//
// What wakes a waiting program: the device's alarm, or a time.
#pragma once

#include <netmap/alarm.hpp>

#include "device/fault/wire.hpp"
#include "os/wake_up.hpp"

namespace netmap::fault {

class Waker {
 public:
  [[nodiscard]] static Result<Waker> make(const Port& inner, Direction direction);

  [[nodiscard]] int fd() const noexcept { return clock_.fd(); }
  /// Whether it was set; the device's rings of the direction are then not to be touched.
  [[nodiscard]] bool is_set() const noexcept { return is_set_; }
  /// Wakes at `due`, or once a ring of `inner` is ready.
  void set(Port& inner, Clock::time_point due) noexcept;
  /// Wakes at `due` only.
  void set(Clock::time_point due) noexcept;
  /// Takes set() back. Fails with ring_corrupt if the device reported an error.
  SyncStatus clear(Port& inner) noexcept;

 private:
  Waker(Alarm alarm, os::WakeUp clock) noexcept
      : alarm_(std::move(alarm)), clock_(std::move(clock)) {}

  Alarm alarm_;
  os::WakeUp clock_;
  bool is_set_ = false;
  bool has_alarm_ = false;
};

}  // namespace netmap::fault
