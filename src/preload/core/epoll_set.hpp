// SPDX-License-Identifier: BSD-2-Clause
//
// The files of netmap in one epoll set; the kernel has all else that is in it. Looking at a file is
// a sync of it, as in poll(2).
#pragma once

#include "preload/core/wait.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <system_error>
#include <vector>

#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

namespace netmap::preload {

class EpollSet {
 public:
  EpollSet();

  /// epoll_ctl(2).
  std::error_code control(int operation, int fd, const std::shared_ptr<OpenFile>& file,
                          const epoll_event* event);
  /// epoll_wait(2) on `set`, which is this one's descriptor: yields how many events there are, or
  /// -1 with errno.
  int wait(int set, std::span<epoll_event> events, const timespec* timeout,
           const sigset_t* signals);

  /// Held while it changes.
  [[nodiscard]] std::mutex& mutex() noexcept { return mutex_; }

 private:
  struct Entry {
    std::weak_ptr<OpenFile> file;  ///< one that is closed is in no set
    epoll_event wanted;
    short told = 0;  ///< of EPOLLET: what was there when it was last looked at
  };
  using Entries = std::map<int, Entry>;
  [[nodiscard]] std::vector<Watched> watch(std::vector<int>& fds);
  static std::size_t wait_for_kernel(int set, std::span<epoll_event> events);
  std::size_t tell(std::span<const Watched> watched, std::span<const int> fds,
                   std::span<epoll_event> events);

  std::mutex mutex_;
  os::File changed_;  ///< an eventfd, for a thread that waits already
  Entries entries_;
};

}  // namespace netmap::preload
