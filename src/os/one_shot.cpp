// SPDX-License-Identifier: BSD-2-Clause
#include "os/one_shot.hpp"

#include <array>
#include <cerrno>

#if defined(__linux__)

#include <sys/epoll.h>

namespace netmap::os {
Outcome<OneShot> OneShot::make(int fd, int news) {
  File queue(::epoll_create1(EPOLL_CLOEXEC));
  if (!queue) return failure();
  epoll_event event{.events = EPOLLIN, .data = {.fd = news}};
  if (news >= 0 && ::epoll_ctl(queue.fd(), EPOLL_CTL_ADD, news, &event) != 0) return failure();
  return OneShot(std::move(queue), fd);
}

Outcome<> OneShot::set(short events) noexcept {
  epoll_event event{.events = static_cast<std::uint32_t>(events) | EPOLLONESHOT,
                    .data = {.fd = fd_}};
  if (::epoll_ctl(queue_.fd(), EPOLL_CTL_ADD, fd_, &event) != 0) return failure();
  return {};
}

/// Descriptors that are there with no events asked for would still be polled, for errors.
Outcome<short> OneShot::clear() noexcept {
  std::array<epoll_event, 2> come{};
  const int count = ::epoll_wait(queue_.fd(), come.data(), come.size(), 0);
  if (count < 0 && errno != EINTR) return failure();
  short events = 0;
  for (const epoll_event& event : come) {
    if (event.events == 0) continue;
    if (event.data.fd == fd_) {
      events = static_cast<short>(event.events);
    } else {
      (void)::epoll_ctl(queue_.fd(), EPOLL_CTL_DEL, event.data.fd, nullptr);
    }
  }
  if (::epoll_ctl(queue_.fd(), EPOLL_CTL_DEL, fd_, nullptr) != 0 && errno != ENOENT) {
    return failure();
  }
  return events;
}

}  // namespace netmap::os

#else

namespace netmap::os {

Outcome<OneShot> OneShot::make(int, int) {
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
