// SPDX-License-Identifier: BSD-2-Clause
#include "os/one_shot.hpp"

#include <cerrno>

#if defined(__linux__)

#include <sys/epoll.h>

namespace netmap::os {
namespace {

std::unexpected<std::error_code> failure() {
  return std::unexpected(std::error_code(errno, std::system_category()));
}

}  // namespace

Outcome<OneShot> OneShot::make(int fd) {
  File queue(::epoll_create1(EPOLL_CLOEXEC));
  if (!queue) return failure();
  epoll_event nothing{};
  if (::epoll_ctl(queue.fd(), EPOLL_CTL_ADD, fd, &nothing) != 0) return failure();
  return OneShot(std::move(queue), fd);
}

Outcome<> OneShot::set(short events) noexcept {
  epoll_event event{};
  event.events = static_cast<std::uint32_t>(events) | EPOLLONESHOT;
  if (::epoll_ctl(queue_.fd(), EPOLL_CTL_MOD, fd_, &event) != 0) return failure();
  return {};
}

/// An event that is taken ends what was asked for; what has not come must be taken back.
Outcome<short> OneShot::clear() noexcept {
  epoll_event event{};
  const int count = ::epoll_wait(queue_.fd(), &event, 1, 0);
  if (count < 0 && errno != EINTR) return failure();
  if (count == 1) return static_cast<short>(event.events);
  event = {};
  if (::epoll_ctl(queue_.fd(), EPOLL_CTL_MOD, fd_, &event) != 0) return failure();
  return short{0};
}

}  // namespace netmap::os

#else

namespace netmap::os {

Outcome<OneShot> OneShot::make(int) {
  return std::unexpected(std::make_error_code(std::errc::function_not_supported));
}
Outcome<> OneShot::set(short) noexcept {
  return std::unexpected(std::make_error_code(std::errc::function_not_supported));
}
Outcome<short> OneShot::clear() noexcept {
  return std::unexpected(std::make_error_code(std::errc::function_not_supported));
}

}  // namespace netmap::os

#endif
