// SPDX-License-Identifier: BSD-2-Clause
#include "os/wake_set.hpp"

#include <array>
#include <cerrno>

#include <sys/epoll.h>

namespace netmap::os {
namespace {

Outcome<> add(const File& queue, const File& file, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.fd = file.fd()}};
  if (::epoll_ctl(queue.fd(), EPOLL_CTL_ADD, file.fd(), &event) != 0) {
    return std::unexpected(std::error_code(errno, std::system_category()));
  }
  return {};
}

}  // namespace

Outcome<WakeSet> WakeSet::make(const File& fifo) {
  File queue(::epoll_create1(EPOLL_CLOEXEC));
  if (!queue) return std::unexpected(std::error_code(errno, std::system_category()));
  if (auto added = add(queue, fifo, EPOLLIN); !added) return std::unexpected(added.error());
  return WakeSet(std::move(queue), fifo.fd());
}

/// Errors are told without being asked for.
Outcome<> WakeSet::watch(const File& fifo) noexcept {
  return add(queue_, fifo, EPOLLONESHOT);
}

void WakeSet::drain() noexcept {
  if (hush(fifo_)) return;
  std::array<epoll_event, 16> deaths{};
  (void)::epoll_wait(queue_.fd(), deaths.data(), deaths.size(), 0);
}

}  // namespace netmap::os
