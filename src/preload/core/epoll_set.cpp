// SPDX-License-Identifier: BSD-2-Clause
#include "preload/core/epoll_set.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

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

std::error_code EpollSet::control(int operation, int fd, const std::shared_ptr<OpenFile>& file,
                                  const epoll_event* event) {
  const std::scoped_lock only(mutex_);
  std::erase_if(entries_, [](const auto& entry) { return entry.second.file.expired(); });
  const auto found = entries_.find(fd);
  switch (operation) {
    case EPOLL_CTL_ADD:
      if (found != entries_.end()) return failure(EEXIST);
      entries_.emplace(fd, Entry{file, *event});
      return {};
    case EPOLL_CTL_MOD:
      if (found == entries_.end()) return failure(ENOENT);
      found->second = Entry{file, *event};
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
    auto file = entry.file.lock();
    if (!file || (entry.wanted.events & watched_events) == 0) continue;
    const auto events = static_cast<short>(entry.wanted.events & watched_events);
    watched.push_back({std::move(file), events, entry.told});
    fds.push_back(fd);
  }
  return watched;
}

/// Of EPOLLET what is there is told once as long as it stays, of EPOLLONESHOT nothing more.
std::size_t EpollSet::tell(std::span<const Watched> watched, std::span<const int> fds,
                           std::span<epoll_event> events) {
  std::size_t count = 0;
  const std::scoped_lock only(mutex_);
  for (std::size_t i = 0; i != watched.size() && count != events.size(); ++i) {
    const auto at = entries_.find(fds[i]);
    if (at == entries_.end()) continue;
    const auto& [file, looked_for, known, found] = watched[i];
    Entry& entry = at->second;
    if ((entry.wanted.events & EPOLLET) != 0) entry.told = static_cast<short>(known | found);
    if (found == 0) continue;
    events[count++] = {static_cast<std::uint16_t>(found), entry.wanted.data};
    if ((entry.wanted.events & EPOLLONESHOT) != 0) entry.wanted.events = 0;
  }
  return count;
}

/// The kernel's part is asked for past the shim, which would come back here.
int EpollSet::wait(int set, std::span<epoll_event> events, const timespec* timeout,
                   const sigset_t* signals) {
  std::vector<int> fds;
  std::vector<Watched> watched = watch(fds);
  std::array others{pollfd{set, POLLIN, 0}};
  if (preload::wait(watched, others, timeout, signals) < 0) return -1;
  const std::size_t count = tell(watched, fds, events);
  const std::span rest = events.subspan(count);
  if (others[0].revents == 0 || rest.empty()) return static_cast<int>(count);
  const auto more = ::syscall(SYS_epoll_pwait, set, rest.data(), rest.size(), 0, nullptr, 0);
  return static_cast<int>(count) + static_cast<int>(std::max(more, 0L));
}

}  // namespace netmap::preload
