// SPDX-License-Identifier: BSD-2-Clause
#include "soak/stage.hpp"

#include <cerrno>
#include <system_error>

#include <sys/prctl.h>
#include <time.h>

namespace netmap::soak {

void die_with_parent() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void leave_failure(Stage& stage, const char* what) {
  std::snprintf(stage.failure, sizeof stage.failure, "%s", what);
}

Strike::Strike(int signal) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = signal;
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) {
    throw std::system_error(errno, std::system_category(), "cannot make a timer");
  }
}

Strike::~Strike() {
  ::timer_delete(timer_);
}

void Strike::set(std::uint64_t nanoseconds) {
  constexpr std::uint64_t second = 1'000'000'000;
  itimerspec when{};
  when.it_value = {static_cast<time_t>(nanoseconds / second),
                   static_cast<long>(nanoseconds % second)};
  ::timer_settime(timer_, 0, &when, nullptr);
}

Result<Port> Opener::try_open(const std::string& name, PortOptions options) const {
  options.device = device();
  return netmap::open(name, options);
}

Port Opener::open(const std::string& name, PortOptions options) const {
  Port port = must(try_open(name, std::move(options)));
  ++stage_->opens;
  return port;
}

Port Opener::open_alone(const std::string& name, const PortOptions& options) const {
  Port port = open(name, options);
  ++stage_->regions;
  return port;
}

}  // namespace netmap::soak
