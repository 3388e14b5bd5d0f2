// SPDX-License-Identifier: BSD-2-Clause
//
// Waiting for descriptors.
#include "preload/descriptors.hpp"
#include "preload/libc.hpp"

#include <cerrno>

#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

namespace netmap::preload {
namespace {

constinit Next<int(pollfd*, nfds_t, int)> next_poll{"poll"};
constinit Next<int(pollfd*, nfds_t, const timespec*, const sigset_t*)> next_ppoll{"ppoll"};
constinit Next<int(int, fd_set*, fd_set*, fd_set*, timeval*)> next_select{"select"};
constinit Next<int(int, fd_set*, fd_set*, fd_set*, const timespec*, const sigset_t*)> next_pselect{
    "pselect"};
constinit Next<int(int, int, int, epoll_event*)> next_epoll_ctl{"epoll_ctl"};
constinit Next<int(int, epoll_event*, int, int)> next_epoll_wait{"epoll_wait"};
constinit Next<int(int, epoll_event*, int, int, const sigset_t*)> next_epoll_pwait{"epoll_pwait"};
constinit Next<int(int, epoll_event*, int, const timespec*, const sigset_t*)> next_epoll_pwait2{
    "epoll_pwait2"};

bool has_netmap(const pollfd* fds, nfds_t count) {
  if (is_idle()) return false;
  for (nfds_t i = 0; i != count; ++i) {
    if (descriptors.of(fds[i].fd) == Kind::netmap) return true;
  }
  return false;
}

/// Milliseconds, for ever if negative.
class Timeout {
 public:
  explicit Timeout(int milliseconds)
      : time_{milliseconds / 1000, milliseconds % 1000 * 1'000'000L}, forever_(milliseconds < 0) {}
  [[nodiscard]] const timespec* get() const { return forever_ ? nullptr : &time_; }

 private:
  timespec time_;
  bool forever_;
};

// ---- select(2), in terms of poll(2) -------------------------------------------------------------

struct Sets {
  fd_set* read;
  fd_set* write;
  fd_set* except;
};

bool is_in(const fd_set* set, int fd) {
  return set != nullptr && FD_ISSET(fd, set);
}

bool has_netmap(int count, const Sets& sets) {
  if (is_idle()) return false;
  for (int fd = 0; fd < count && fd < FD_SETSIZE; ++fd) {
    if (descriptors.of(fd) != Kind::netmap) continue;
    if (is_in(sets.read, fd) || is_in(sets.write, fd) || is_in(sets.except, fd)) return true;
  }
  return false;
}

nfds_t list(int count, const Sets& sets, pollfd* fds) {
  nfds_t listed = 0;
  for (int fd = 0; fd < count && fd < FD_SETSIZE; ++fd) {
    const int events = (is_in(sets.read, fd) ? POLLIN : 0) | (is_in(sets.write, fd) ? POLLOUT : 0) |
                       (is_in(sets.except, fd) ? POLLPRI : 0);
    if (events != 0) fds[listed++] = {fd, static_cast<short>(events), 0};
  }
  return listed;
}

/// Keeps in `set` whom `came` says, if he is in it; yields whether he is.
int keep(fd_set* set, int fd, bool came) {
  if (!is_in(set, fd)) return 0;
  if (came) return 1;
  FD_CLR(fd, set);
  return 0;
}

int select_netmap(int count, const Sets& sets, const timespec* timeout, const sigset_t* signals) {
  pollfd fds[FD_SETSIZE];
  const nfds_t listed = list(count, sets, fds);
  if (core()->poll(fds, listed, timeout, signals) < 0) return -1;
  int found = 0;
  for (nfds_t i = 0; i != listed; ++i) {
    const auto& [fd, events, came] = fds[i];
    if ((came & POLLNVAL) != 0) {
      errno = EBADF;
      return -1;
    }
    found += keep(sets.read, fd, (came & (POLLIN | POLLHUP | POLLERR)) != 0);
    found += keep(sets.write, fd, (came & (POLLOUT | POLLERR)) != 0);
    found += keep(sets.except, fd, (came & POLLPRI) != 0);
  }
  return found;
}

}  // namespace
}  // namespace netmap::preload

using namespace netmap::preload;

#define SHIM extern "C" [[gnu::visibility("default")]]

SHIM int poll(pollfd* fds, nfds_t count, int timeout) {
  if (!has_netmap(fds, count)) return next_poll(fds, count, timeout);
  return core()->poll(fds, count, Timeout(timeout).get(), nullptr);
}

SHIM int ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* signals) {
  if (!has_netmap(fds, count)) return next_ppoll(fds, count, timeout, signals);
  return core()->poll(fds, count, timeout, signals);
}

// What checked builds of programs use; the size of `fds` was the compiler's to check.
SHIM int checked_poll(pollfd*, nfds_t, int, size_t) asm("__poll_chk");
SHIM int checked_poll(pollfd* fds, nfds_t count, int timeout, size_t) {
  return poll(fds, count, timeout);
}
SHIM int checked_ppoll(pollfd*, nfds_t, const timespec*, const sigset_t*,
                       size_t) asm("__ppoll_chk");
SHIM int checked_ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* signals,
                       size_t) {
  return ppoll(fds, count, timeout, signals);
}

SHIM int select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout) {
  const Sets sets{read, write, except};
  if (!has_netmap(count, sets)) return next_select(count, read, write, except, timeout);
  if (timeout == nullptr) return select_netmap(count, sets, nullptr, nullptr);
  const timespec time{timeout->tv_sec, timeout->tv_usec * 1000};
  return select_netmap(count, sets, &time, nullptr);
}

SHIM int pselect(int count, fd_set* read, fd_set* write, fd_set* except, const timespec* timeout,
                 const sigset_t* signals) {
  const Sets sets{read, write, except};
  if (!has_netmap(count, sets)) return next_pselect(count, read, write, except, timeout, signals);
  return select_netmap(count, sets, timeout, signals);
}

SHIM int epoll_ctl(int set, int operation, int fd, epoll_event* event) noexcept {
  if (descriptors.of(fd) != Kind::netmap) return next_epoll_ctl(set, operation, fd, event);
  return core()->epoll_ctl(set, operation, fd, event);
}

SHIM int epoll_wait(int set, epoll_event* events, int count, int timeout) {
  if (descriptors.of(set) != Kind::epoll) return next_epoll_wait(set, events, count, timeout);
  return core()->epoll_wait(set, events, count, Timeout(timeout).get(), nullptr);
}

SHIM int epoll_pwait(int set, epoll_event* events, int count, int timeout,
                     const sigset_t* signals) {
  if (descriptors.of(set) != Kind::epoll) {
    return next_epoll_pwait(set, events, count, timeout, signals);
  }
  return core()->epoll_wait(set, events, count, Timeout(timeout).get(), signals);
}

SHIM int epoll_pwait2(int set, epoll_event* events, int count, const timespec* timeout,
                      const sigset_t* signals) {
  if (descriptors.of(set) != Kind::epoll) {
    return next_epoll_pwait2(set, events, count, timeout, signals);
  }
  return core()->epoll_wait(set, events, count, timeout, signals);
}
