// SPDX-License-Identifier: BSD-2-Clause
#include "os/event_fd.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace netmap::os {

Outcome<File> share_eventfd(int fd) {
  File own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own) return failure();
  std::array<char, 64> kind{};
  const auto link = "/proc/self/fd/" + std::to_string(own.fd());
  if (::readlink(link.c_str(), kind.data(), kind.size() - 1) < 0) return failure();
  if (std::string_view(kind.data()) != "anon_inode:[eventfd]") return failure(EINVAL);
  return own;
}

void signal(const File& eventfd) noexcept {
  const std::uint64_t one = 1;
  (void)!::write(eventfd.fd(), &one, sizeof one);
}

Outcome<Signals> Signals::make() {
  File queue(::epoll_create1(EPOLL_CLOEXEC));
  if (!queue) return failure();
  return Signals(std::move(queue));
}

Outcome<> Signals::watch(const File& eventfd, std::uint32_t number) noexcept {
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u32 = number}};
  if (::epoll_ctl(queue_.fd(), EPOLL_CTL_ADD, eventfd.fd(), &event) != 0) return failure();
  return {};
}

std::optional<std::uint32_t> Signals::next() noexcept {
  epoll_event event{};
  if (::epoll_wait(queue_.fd(), &event, 1, 0) != 1) return {};
  const std::uint32_t number = event.data.u32;
  return number;
}

}  // namespace netmap::os
