// SPDX-License-Identifier: BSD-2-Clause
#include "os/timer.hpp"

#include <sys/timerfd.h>

namespace netmap::os {
namespace {

void set(const File& file, long nanoseconds) noexcept {
  const itimerspec when{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = nanoseconds}};
  (void)::timerfd_settime(file.fd(), 0, &when, nullptr);
}

}  // namespace

Outcome<Timer> Timer::make() {
  File file(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!file) return failure();
  return Timer(std::move(file));
}

void Timer::start(std::chrono::nanoseconds after) noexcept {
  set(file_, after.count());
}

void Timer::stop() noexcept {
  set(file_, 0);
}

}  // namespace netmap::os
