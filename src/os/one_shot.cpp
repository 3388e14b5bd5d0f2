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
  return OneShot(std::move(queue), fd);
}

Outcome<> OneShot::set(short events) noexcept {
  epoll_event event{};
  event.events = static_cast<std::uint32_t>(events) | EPOLLONESHOT;
  if (::epoll_ctl(queue_.fd(), EPOLL_CTL_ADD, fd_, &event) != 0) return failure();
  return {};
}

/// Descriptors that are there with no events asked for would still be polled, for errors.
Outcome<short> OneShot::clear() noexcept {
  epoll_event event{};
  const int count = ::epoll_wait(queue_.fd(), &event, 1, 0);
  if (count < 0 && errno != EINTR) return failure();
  const auto events = static_cast<short>(count == 1 ? event.events : 0);
  if (::epoll_ctl(queue_.fd(), EPOLL_CTL_DEL, fd_, nullptr) != 0 && errno != ENOENT) {
    return failure();
  }
  return events;
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
