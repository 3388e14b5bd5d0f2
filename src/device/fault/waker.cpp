// SPDX-License-Identifier: BSD-2-Clause
#include "device/fault/waker.hpp"

namespace netmap::fault {

Result<Waker> Waker::make(const Port& inner, Direction direction) {
  auto alarm = Alarm::make(inner, direction);
  if (!alarm) return std::unexpected(alarm.error());
  auto clock = os::WakeUp::make();
  if (!clock) {
    return std::unexpected(Error(clock.error(), "cannot make a timer: " + clock.error().message()));
  }
  return Waker(std::move(*alarm), std::move(*clock));
}

/// Ready already, or failed: the sync of who wakes will see.
void Waker::set(Port& inner, Clock::time_point due) noexcept {
  const auto idle = alarm_.set(inner);
  if (!idle || !*idle) return set(Clock::now());
  is_set_ = has_alarm_ = true;
  if (due != Clock::time_point::max()) clock_.at(due);
  clock_.when_readable(alarm_.fd());
}

void Waker::set(Clock::time_point due) noexcept {
  is_set_ = true;
  clock_.at(due);
}

SyncStatus Waker::clear(Port& inner) noexcept {
  clock_.clear();
  is_set_ = false;
  if (!std::exchange(has_alarm_, false)) return {};
  const auto cleared = alarm_.clear(inner);
  return cleared ? SyncStatus() : SyncStatus(errc::ring_corrupt);
}

}  // namespace netmap::fault
