// SPDX-License-Identifier: BSD-2-Clause
//
// An open port, and who uses it. Everything that Python holds of a port, its rings and packets,
// shares one of these: closing ends it for all of them, and memory that is looked at keeps it.
#pragma once

#include "error.hpp"
#include "views.hpp"

#include <netmap/alarm.hpp>
#include <netmap/port.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace netmap::python {

/// Methods want the interpreter's lock held, and raise ValueError if the port is closed, and Error
/// with EBUSY if another thread waits in it.
class LivePort {
 public:
  explicit LivePort(Port port);

  [[nodiscard]] bool is_closed() const noexcept { return !port_; }
  /// Raises BufferError, and closes nothing, if memory of the port is looked at.
  void close();

  /// The port, for this thread and until the lock is given up.
  [[nodiscard]] Port& use();
  /// Its rings. Raises Error if the direction is armed.
  [[nodiscard]] RxRing& rx(std::size_t n);
  [[nodiscard]] TxRing& tx(std::size_t n);
  [[nodiscard]] Views& rx_views(std::size_t n) noexcept { return rx_views_[n]; }
  [[nodiscard]] Views& tx_views(std::size_t n) noexcept { return tx_views_[n]; }

  void sync(Direction direction);
  /// These give the lock up while they wait, and look for signals.
  [[nodiscard]] Directions wait(Directions wanted, std::chrono::nanoseconds timeout);
  [[nodiscard]] std::size_t drain(std::chrono::nanoseconds timeout);

  [[nodiscard]] int fileno(Direction direction) { return alarm(direction).fd(); }
  [[nodiscard]] bool arm(Direction direction);

 private:
  struct Bell {
    std::optional<Alarm> alarm{};
    bool is_set = false;
  };

  [[nodiscard]] Bell& bell(Direction direction) noexcept {
    return direction == Direction::rx ? rx_bell_ : tx_bell_;
  }
  [[nodiscard]] Alarm& alarm(Direction direction);
  void disarm(Direction direction);
  [[nodiscard]] Port& use_rings(Direction direction);
  /// Calls `step(for how long)` without the lock until it succeeds or time is up.
  template <class Step>
  auto in_steps(std::chrono::nanoseconds timeout, Step step);

  std::optional<Port> port_;
  Bell rx_bell_, tx_bell_;  // which go before the port
  std::vector<Views> rx_views_, tx_views_;
  bool is_waiting_ = false;
};

}  // namespace netmap::python
