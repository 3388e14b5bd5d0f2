// SPDX-License-Identifier: BSD-2-Clause
#include "os/poll_set.hpp"

#include <array>
#include <cerrno>

#include <sys/epoll.h>

namespace netmap::os {
namespace {

Outcome<> add(const File& queue, int file, std::uint32_t events) noexcept {
  epoll_event event{.events = events, .data = {.fd = file}};
  if (::epoll_ctl(queue.fd(), EPOLL_CTL_ADD, file, &event) != 0 && errno != EEXIST) {
    return failure();
  }
  return {};
}

}  // namespace

Outcome<PollSet> PollSet::make() {
  File queue(::epoll_create1(EPOLL_CLOEXEC));
  if (!queue) return failure();
  return PollSet(std::move(queue));
}

Outcome<> PollSet::watch_readable(int file) noexcept {
  return add(queue_, file, EPOLLIN);
}

Outcome<> PollSet::watch_room(int file) noexcept {
  return add(queue_, file, EPOLLOUT | EPOLLET);
}

void PollSet::forget(int file) noexcept {
  (void)::epoll_ctl(queue_.fd(), EPOLL_CTL_DEL, file, nullptr);
}

void PollSet::clear() noexcept {
  std::array<epoll_event, 64> events{};
  (void)::epoll_wait(queue_.fd(), events.data(), events.size(), 0);
}

}  // namespace netmap::os
