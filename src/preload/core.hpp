// SPDX-License-Identifier: BSD-2-Clause
//
// The shim is two libraries. libnetmapxx-preload.so takes the place of libc's calls in every
// program it is loaded into, knows which descriptors are whose, and needs nothing but libc. When a
// program has to do with /dev/netmap it loads libnetmapxx-preload-core.so, which is the embedded
// device behind the functions below.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/types.h>
#include <time.h>

namespace netmap::preload {

/// What a descriptor of this process is.
enum class Kind : std::uint8_t {
  other,
  netmap,   ///< of /dev/netmap
  epoll,    ///< an epoll set that has such a one in it
  private_  ///< of the embedded device: programs do not know of it, and must not close it
};

/// Those beyond are never anything but `other`.
inline constexpr int max_descriptors = 1 << 16;

class Descriptors {
 public:
  [[nodiscard]] Kind of(int fd) const noexcept {
    if (fd < 0 || fd >= max_descriptors) return Kind::other;
    return kinds_[fd].load(std::memory_order_relaxed);
  }
  /// False if there is no place for it.
  bool set(int fd, Kind kind) noexcept {
    if (fd < 0 || fd >= max_descriptors) return false;
    kinds_[fd].store(kind, std::memory_order_relaxed);
    return true;
  }

 private:
  std::atomic<Kind> kinds_[max_descriptors];
};

/// All as the calls that they are named for, of descriptors of Kind::netmap or Kind::epoll: they
/// set errno.
struct Core {
  int (*open)(int flags);
  int (*close)(int fd);
  /// What was behind it has another descriptor, or none, now.
  void (*forget)(int fd);
  void (*duplicated)(int from, int to);
  int (*ioctl)(int fd, unsigned long request, void* argument);
  void* (*mmap)(void* address, std::size_t bytes, int protection, int flags, int fd, off_t offset);
  int (*poll)(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* signals);
  int (*epoll_ctl)(int set, int operation, int fd, epoll_event* event);
  int (*epoll_wait)(int set, epoll_event* events, int count, const timespec* timeout,
                    const sigset_t* signals);
};

/// What libnetmapxx-preload-core.so exports, under the name below; called once.
using StartCore = const Core*(Descriptors&);
inline constexpr const char* start_core = "netmapxx_preload_start";

}  // namespace netmap::preload
