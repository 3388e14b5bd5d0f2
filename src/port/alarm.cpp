// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/alarm.hpp>

#include "os/one_shot.hpp"
#include "port/poll_error.hpp"

#include <utility>

namespace netmap {
namespace {

Error cannot_wait(const Port& port, std::error_code why) {
  return {why, "cannot wait on '" + port.info().name + "': " + why.message()};
}

}  // namespace

Alarm::Alarm(Direction direction, WaitHandle handle, std::unique_ptr<os::OneShot> relay) noexcept
    : direction_(direction),
      handle_(handle),
      relay_(std::move(relay)),
      fd_(relay_ ? relay_->fd() : handle.fd) {}
Alarm::Alarm(Alarm&&) noexcept = default;
Alarm& Alarm::operator=(Alarm&&) noexcept = default;
Alarm::~Alarm() = default;

Result<Alarm> Alarm::make(const Port& port, Direction direction) {
  const WaitHandle handle = port.wait_handle(direction);
  if (!handle.syncs && handle.news < 0) return Alarm(direction, handle, nullptr);
  auto relay = os::OneShot::make(handle.fd, handle.news);
  if (!relay) return std::unexpected(cannot_wait(port, relay.error()));
  return Alarm(direction, handle, std::make_unique<os::OneShot>(std::move(*relay)));
}

Result<bool> Alarm::set(Port& port) {
  const auto idle = port.arm(direction_);
  if (!relay_ || !idle || !*idle) return idle;
  if (auto set = relay_->set(handle_.events); !set) {
    port.disarm(direction_);
    return std::unexpected(cannot_wait(port, set.error()));
  }
  return true;
}

Result<> Alarm::clear(Port& port) {
  const auto events = relay_ ? relay_->clear() : os::Outcome<short>(0);
  port.disarm(direction_);
  if (!events) return std::unexpected(cannot_wait(port, events.error()));
  if ((*events & POLLERR) != 0) return std::unexpected(poll_error(port.info().name));
  return {};
}

}  // namespace netmap
