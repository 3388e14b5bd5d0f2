// SPDX-License-Identifier: BSD-2-Clause
#include "os/alarm_clock.hpp"

#include <cerrno>

#if defined(__linux__)

#include <sys/epoll.h>
#include <sys/timerfd.h>

namespace netmap::os {
namespace {

std::unexpected<std::error_code> failure() {
  return std::unexpected(std::error_code(errno, std::system_category()));
}

Outcome<> add(const File& queue, int fd) noexcept {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  if (::epoll_ctl(queue.fd(), EPOLL_CTL_ADD, fd, &event) != 0) return failure();
  return {};
}

}  // namespace

Outcome<AlarmClock> AlarmClock::make() {
  File queue(::epoll_create1(EPOLL_CLOEXEC));
  if (!queue) return failure();
  File timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) return failure();
  if (auto added = add(queue, timer.fd()); !added) return std::unexpected(added.error());
  return AlarmClock(std::move(queue), std::move(timer));
}

Outcome<> AlarmClock::set(std::chrono::steady_clock::time_point when, int other) noexcept {
  if (when != std::chrono::steady_clock::time_point::max()) {
    const auto since = when.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const itimerspec at{
        .it_interval = {},
        .it_value = {seconds.count(), std::chrono::nanoseconds(since - seconds).count()}};
    if (::timerfd_settime(timer_.fd(), TFD_TIMER_ABSTIME, &at, nullptr) != 0) return failure();
  }
  if (other < 0) return {};
  if (auto added = add(queue_, other); !added) return added;
  other_ = other;
  return {};
}

/// A timer that is set anew has not expired.
void AlarmClock::clear() noexcept {
  constexpr itimerspec never{};
  (void)::timerfd_settime(timer_.fd(), 0, &never, nullptr);
  if (other_ >= 0) (void)::epoll_ctl(queue_.fd(), EPOLL_CTL_DEL, other_, nullptr);
  other_ = -1;
}

}  // namespace netmap::os

#else

namespace netmap::os {

Outcome<AlarmClock> AlarmClock::make() {
  return std::unexpected(std::make_error_code(std::errc::function_not_supported));
}
Outcome<> AlarmClock::set(std::chrono::steady_clock::time_point, int) noexcept {
  return std::unexpected(std::make_error_code(std::errc::function_not_supported));
}
void AlarmClock::clear() noexcept {}

}  // namespace netmap::os

#endif
