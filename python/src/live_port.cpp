// SPDX-License-Identifier: BSD-2-Clause
#include "live_port.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>
#include <utility>

namespace netmap::python {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

/// A signal that comes between Python's look for one and the sleep does not end the sleep.
constexpr nanoseconds longest_sleep = std::chrono::milliseconds(100);

[[noreturn]] void refuse_busy(const std::string& why) {
  raise(Error(std::error_code(EBUSY, std::system_category()), why));
}

/// Says that a thread is in the port while it does not hold the lock.
class Claim {
 public:
  explicit Claim(bool& flag) noexcept : flag_(flag) { flag_ = true; }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() { flag_ = false; }

 private:
  bool& flag_;
};

bool is_done(const Result<Directions>& found) {
  return !found || !found->empty();
}
bool is_done(const Result<std::size_t>& left) {
  return !left || *left == 0;
}

}  // namespace

LivePort::LivePort(Port port)
    : port_(std::move(port)),
      rx_views_(port_->rx_rings().size()),
      tx_views_(port_->tx_rings().size()) {}

void LivePort::close() {
  if (is_closed()) return;
  (void)use();
  for (auto* const views : {&rx_views_, &tx_views_}) {
    for (Views& ring : *views) ring.withdraw(std::numeric_limits<std::uint64_t>::max());
  }
  rx_bell_ = {};
  tx_bell_ = {};
  std::optional<Port> closing = std::exchange(port_, std::nullopt);
  const py::gil_scoped_release others_may_run;
  closing.reset();
}

Port& LivePort::use() {
  if (is_closed()) throw py::value_error("the port is closed");
  if (is_waiting_) {
    refuse_busy("'" + port_->info().name +
                "' is in use: another thread waits in it; open one port for each thread");
  }
  return *port_;
}

Port& LivePort::use_rings(Direction direction) {
  Port& port = use();
  if (bell(direction).is_set) {
    const std::string sync = direction == Direction::rx ? "sync_rx()" : "sync_tx()";
    refuse_busy("'" + port.info().name + "' is armed: call " + sync + " before you look at rings");
  }
  return port;
}

RxRing& LivePort::rx(std::size_t n) {
  return use_rings(Direction::rx).rx_rings()[n];
}
TxRing& LivePort::tx(std::size_t n) {
  return use_rings(Direction::tx).tx_rings()[n];
}

void LivePort::sync(Direction direction) {
  Port& port = use();
  disarm(direction);
  value_of(direction == Direction::rx ? port.sync_rx() : port.sync_tx());
}

template <class Step>
auto LivePort::in_steps(nanoseconds timeout, Step step) {
  const auto begin = steady_clock::now();
  const Claim claim(is_waiting_);
  for (;;) {
    const nanoseconds left = std::max(timeout - (steady_clock::now() - begin), nanoseconds(0));
    auto outcome = [&] {
      const py::gil_scoped_release others_may_run;
      return step(std::min(left, longest_sleep));
    }();
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (is_done(outcome) || left == nanoseconds(0)) return value_of(std::move(outcome));
  }
}

Directions LivePort::wait(Directions wanted, nanoseconds timeout) {
  Port& port = use();
  for (const auto direction : {Direction::rx, Direction::tx}) {
    if (wanted.has(direction)) disarm(direction);
  }
  return in_steps(timeout, [&](nanoseconds left) { return port.wait(wanted, left); });
}

std::size_t LivePort::drain(nanoseconds timeout) {
  Port& port = use();
  disarm(Direction::tx);
  return in_steps(timeout, [&](nanoseconds left) { return port.drain(left); });
}

Alarm& LivePort::alarm(Direction direction) {
  Port& port = use();
  auto& alarm = bell(direction).alarm;
  if (!alarm) alarm = value_of(Alarm::make(port, direction));
  return *alarm;
}

bool LivePort::arm(Direction direction) {
  disarm(direction);
  const bool is_set = value_of(alarm(direction).set(use()));
  bell(direction).is_set = is_set;
  return is_set;
}

void LivePort::disarm(Direction direction) {
  Port& port = use();
  if (std::exchange(bell(direction).is_set, false)) value_of(alarm(direction).clear(port));
}

}  // namespace netmap::python
