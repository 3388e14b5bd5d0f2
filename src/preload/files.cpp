// SPDX-License-Identifier: BSD-2-Clause
//
// Descriptors come, go and are copied.
#include "preload/descriptors.hpp"
#include "preload/libc.hpp"

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstring>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace netmap::preload {
namespace {

constinit Next<int(const char*, int, ...)> next_open{"open"};
constinit Next<int(int, const char*, int, ...)> next_openat{"openat"};
constinit Next<int(int)> next_close{"close"};
constinit Next<int(unsigned, unsigned, int)> next_close_range{"close_range"};
constinit Next<int(int)> next_dup{"dup"};
constinit Next<int(int, int)> next_dup2{"dup2"};
constinit Next<int(int, int, int)> next_dup3{"dup3"};
constinit Next<int(int, int, ...)> next_fcntl{"fcntl"};
constinit Next<ssize_t(int, msghdr*, int)> next_recvmsg{"recvmsg"};
constinit Next<int(int, mmsghdr*, unsigned, int, timespec*)> next_recvmmsg{"recvmmsg"};
constinit Next<void*(void*, size_t, int, int, int, off_t)> next_mmap{"mmap"};
constinit Next<int(int, unsigned long, ...)> next_ioctl{"ioctl"};

bool is_netmap(const char* path) {
  return path != nullptr && std::strcmp(path, "/dev/netmap") == 0;
}

int open_netmap(int flags) {
  const Core* const device = core();
  return device != nullptr ? device->open(flags) : -1;
}

bool is_shown(Kind kind) {
  return kind == Kind::netmap || kind == Kind::epoll;
}

/// Of a copy that has been made, over what `to` was.
int copied(int from, int to) {
  if (is_idle() || to < 0 || from == to || is_borrowed_memory()) return to;
  if (is_shown(descriptors.of(from))) {
    core()->duplicated(from, to);
  } else if (is_shown(descriptors.of(to))) {
    core()->forget(to);
  }
  return to;
}

/// A place where the device has a descriptor is as good as none.
bool is_refused(int to) {
  if (descriptors.of(to) != Kind::private_) return false;
  errno = EBUSY;
  return true;
}

/// Looks at what came with a message. unix(7).
void meet_all(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i != count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      meet(fd);
    }
  }
}

}  // namespace
}  // namespace netmap::preload

using namespace netmap::preload;

#define SHIM extern "C" [[gnu::visibility("default")]]

// ---- Open ---------------------------------------------------------------------------------------

// Under names of their own: libc declares that paths are not null, so that g++ would not look.

SHIM int open_any(const char*, int, ...) asm("open");
SHIM int open_any(const char* path, int flags, ...) {
  if (is_netmap(path)) return open_netmap(flags);
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return next_open(path, flags, mode);
}

SHIM int open_any_at(int, const char*, int, ...) asm("openat");
SHIM int open_any_at(int directory, const char* path, int flags, ...) {
  if (is_netmap(path)) return open_netmap(flags);
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return next_openat(directory, path, flags, mode);
}

// What checked builds of programs use, and large files.
SHIM int checked_open(const char*, int) asm("__open_2");
SHIM int checked_open(const char* path, int flags) {
  return open_any(path, flags);
}
SHIM int checked_open_at(int, const char*, int) asm("__openat_2");
SHIM int checked_open_at(int directory, const char* path, int flags) {
  return open_any_at(directory, path, flags);
}
SHIM int open_large(const char*, int, ...) asm("open64") __attribute__((alias("open")));
SHIM int open_large_at(int, const char*, int, ...) asm("openat64") __attribute__((alias("openat")));
SHIM int checked_open_large(const char*, int) asm("__open64_2") __attribute__((alias("__open_2")));
SHIM int checked_open_large_at(int, const char*, int) asm("__openat64_2")
    __attribute__((alias("__openat_2")));

SHIM ssize_t recvmsg(int socket, msghdr* message, int flags) {
  const ssize_t bytes = next_recvmsg(socket, message, flags);
  if (bytes >= 0 && message->msg_controllen != 0) meet_all(*message);
  return bytes;
}

SHIM int recvmmsg(int socket, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  const int received = next_recvmmsg(socket, messages, count, flags, timeout);
  for (int i = 0; i < received; ++i) {
    if (messages[i].msg_hdr.msg_controllen != 0) meet_all(messages[i].msg_hdr);
  }
  return received;
}

// ---- Close --------------------------------------------------------------------------------------

SHIM int close(int fd) {
  const Kind kind = descriptors.of(fd);
  if (kind == Kind::private_) {
    errno = EBADF;
    return -1;
  }
  if (is_shown(kind) && !is_borrowed_memory()) return core()->close(fd);
  return next_close(fd);
}

/// The device's own are left out.
SHIM int close_range(unsigned first, unsigned last, int flags) noexcept {
  const bool is_known =
      (static_cast<unsigned>(flags) & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) == 0;
  if (is_idle() || first > last || !is_known) return next_close_range(first, last, flags);
  const bool stay = (static_cast<unsigned>(flags) & CLOSE_RANGE_CLOEXEC) != 0;
  unsigned from = first;
  for (unsigned fd = first; fd <= last && fd < max_descriptors; ++fd) {
    const Kind kind = descriptors.of(static_cast<int>(fd));
    if (is_shown(kind) && !stay && !is_borrowed_memory()) core()->close(static_cast<int>(fd));
    if (kind != Kind::private_) continue;
    if (fd != from && next_close_range(from, fd - 1, flags) != 0) return -1;
    from = fd + 1;
  }
  return from <= last ? next_close_range(from, last, flags) : 0;
}

SHIM void closefrom(int first) noexcept {
  (void)close_range(first < 0 ? 0 : static_cast<unsigned>(first), UINT_MAX, 0);
}

// ---- Copy ---------------------------------------------------------------------------------------

SHIM int dup(int fd) noexcept {
  return copied(fd, next_dup(fd));
}

SHIM int dup2(int from, int to) noexcept {
  return is_refused(to) ? -1 : copied(from, next_dup2(from, to));
}

SHIM int dup3(int from, int to, int flags) noexcept {
  return is_refused(to) ? -1 : copied(from, next_dup3(from, to, flags));
}

SHIM int fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  const int result = next_fcntl(fd, command, argument);
  if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) return copied(fd, result);
  if (command == F_GETFL && result >= 0 && descriptors.of(fd) == Kind::netmap) {
    return (result & ~O_ACCMODE) | O_RDWR;
  }
  return result;
}
SHIM int fcntl64(int, int, ...) __attribute__((alias("fcntl")));

// ---- Use ----------------------------------------------------------------------------------------

SHIM int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list rest;
  va_start(rest, request);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  const bool is_of_all_files =
      request == FIONBIO || request == FIOASYNC || request == FIOCLEX || request == FIONCLEX;
  if (descriptors.of(fd) == Kind::netmap && !is_of_all_files) {
    return core()->ioctl(fd, request, argument);
  }
  return next_ioctl(fd, request, argument);
}

SHIM void* mmap(void* address, size_t bytes, int protection, int flags, int fd,
                off_t offset) noexcept {
  const bool is_file = (flags & MAP_ANONYMOUS) == 0;
  if (is_file && descriptors.of(fd) == Kind::netmap) {
    return core()->mmap(address, bytes, protection, flags, fd, offset);
  }
  return next_mmap(address, bytes, protection, flags, fd, offset);
}
SHIM void* mmap64(void*, size_t, int, int, int, off_t) noexcept __attribute__((alias("mmap")));
