// SPDX-License-Identifier: BSD-2-Clause
#include "os/wake_up.hpp"

#include <algorithm>

#if defined(__linux__)

#include <sys/epoll.h>
#include <sys/timerfd.h>

namespace netmap::os {
namespace {

bool watch(const File& queue, int fd) noexcept {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  return ::epoll_ctl(queue.fd(), EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

Outcome<WakeUp> WakeUp::make() {
  File queue(::epoll_create1(EPOLL_CLOEXEC));
  if (!queue) return failure();
  File timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer || !watch(queue, timer.fd())) return failure();
  return WakeUp(std::move(queue), std::move(timer));
}

/// A time of 0 would be no wake-up at all.
void WakeUp::at(std::chrono::steady_clock::time_point time) noexcept {
  using std::chrono::nanoseconds, std::chrono::seconds;
  const nanoseconds all = std::max<nanoseconds>(time.time_since_epoch(), nanoseconds(1));
  const auto whole = std::chrono::duration_cast<seconds>(all);
  const itimerspec when{{}, {whole.count(), (all - whole).count()}};
  ::timerfd_settime(timer_.fd(), TFD_TIMER_ABSTIME, &when, nullptr);
}

/// What cannot be watched is looked at in vain rather than never.
void WakeUp::when_readable(int fd) noexcept {
  if (watched_ == fd) return;
  if (watch(queue_, fd)) {
    watched_ = fd;
  } else {
    at({});
  }
}

void WakeUp::clear() noexcept {
  const itimerspec never{};
  ::timerfd_settime(timer_.fd(), 0, &never, nullptr);
  if (watched_) ::epoll_ctl(queue_.fd(), EPOLL_CTL_DEL, *watched_, nullptr);
  watched_.reset();
}

}  // namespace netmap::os

#else

namespace netmap::os {

Outcome<WakeUp> WakeUp::make() {
  return std::unexpected(std::make_error_code(std::errc::function_not_supported));
}
void WakeUp::at(std::chrono::steady_clock::time_point) noexcept {}
void WakeUp::when_readable(int) noexcept {}
void WakeUp::clear() noexcept {}

}  // namespace netmap::os

#endif
