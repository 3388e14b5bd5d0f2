// SPDX-License-Identifier: BSD-2-Clause
#include "preload/core/epoll_set.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace netmap::preload {
namespace {

static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLERR == POLLERR &&
              EPOLLRDNORM == POLLRDNORM && EPOLLWRNORM == POLLWRNORM);
constexpr std::uint32_t watched_events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

std::error_code failure(int error) {
  return {error, std::system_category()};
}

}  // namespace

EpollSet::EpollSet() : changed_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

std::error_code EpollSet::control(int operation, int fd, const std::shared_ptr<OpenFile>& file,
                                  const epoll_event* event) {
  const std::scoped_lock only(mutex_);
  std::erase_if(entries_, [](const auto& entry) { return entry.second.file.expired(); });
  const auto found = entries_.find(fd);
  switch (operation) {
    case EPOLL_CTL_ADD:
      if (found != entries_.end()) return failure(EEXIST);
      entries_.emplace(fd, Entry{file, *event});
      ::eventfd_write(changed_.fd(), 1);
      return {};
    case EPOLL_CTL_MOD:
      if (found == entries_.end()) return failure(ENOENT);
      found->second = Entry{file, *event};
      ::eventfd_write(changed_.fd(), 1);
      return {};
    case EPOLL_CTL_DEL: return entries_.erase(fd) != 0 ? std::error_code() : failure(ENOENT);
    default: return failure(EINVAL);
  }
}

/// Those that have anything to wait for, and under which descriptors.
std::vector<Watched> EpollSet::watch(std::vector<int>& fds) {
  std::vector<Watched> watched;
  const std::scoped_lock only(mutex_);
  for (const auto& [fd, entry] : entries_) {
    const auto events = static_cast<short>(entry.wanted.events & watched_events);
    if (events == 0) continue;
    if (auto file = entry.file.lock()) {
      watched.push_back({std::move(file), events, entry.told});
      fds.push_back(fd);
    }
  }
  return watched;
}

/// Of EPOLLET what is there is told once as long as it stays, of EPOLLONESHOT nothing more. Another
/// thread may have told meanwhile.
std::size_t EpollSet::tell(std::span<const Watched> watched, std::span<const int> fds,
                           std::span<epoll_event> events) {
  std::size_t count = 0;
  const std::scoped_lock only(mutex_);
  for (std::size_t i = 0; i != watched.size() && count != events.size(); ++i) {
    const auto at = entries_.find(fds[i]);
    if (at == entries_.end() || at->second.wanted.events == 0) continue;
    Entry& entry = at->second;
    const Watched& one = watched[i];
    if ((entry.wanted.events & EPOLLET) != 0) {
      entry.told = static_cast<short>(one.known | one.found);
    }
    if (one.found == 0) continue;
    events[count++] = {static_cast<std::uint16_t>(one.found), entry.wanted.data};
    if ((entry.wanted.events & EPOLLONESHOT) != 0) entry.wanted.events = 0;
  }
  return count;
}

/// What the kernel has of the set, asked for past the shim, which would come back here.
std::size_t EpollSet::wait_for_kernel(int set, std::span<epoll_event> events) {
  if (events.empty()) return 0;
  const auto count = ::syscall(SYS_epoll_pwait, set, events.data(), events.size(), 0, nullptr, 0);
  return static_cast<std::size_t>(std::max(count, 0L));
}

int EpollSet::wait(int set, std::span<epoll_event> events, const timespec* timeout,
                   const sigset_t* signals) {
  Deadline deadline(timeout);
  for (;;) {
    std::vector<int> fds;
    std::vector<Watched> watched = watch(fds);
    std::array others{pollfd{set, POLLIN, 0}, pollfd{changed_.fd(), POLLIN, 0}};
    if (preload::wait(watched, others, deadline, signals) < 0) return -1;
    if (others[1].revents != 0) (void)os::hush(changed_.fd());
    std::size_t count = tell(watched, fds, events);
    if (others[0].revents != 0) count += wait_for_kernel(set, events.subspan(count));
    if (count != 0 || deadline.has_passed()) return static_cast<int>(count);
  }
}

}  // namespace netmap::preload
