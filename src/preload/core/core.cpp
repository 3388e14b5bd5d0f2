// SPDX-License-Identifier: BSD-2-Clause
#include "preload/core.hpp"

#include "device/embedded/domain.hpp"
#include "os/os.hpp"
#include "preload/core/cancel.hpp"
#include "preload/core/requests.hpp"
#include "preload/core/table.hpp"
#include "preload/core/wait.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace netmap::preload {
namespace {

Descriptors* kinds = nullptr;

/// Never destroyed: threads may be in it when the program ends.
Table& table() {
  static auto* const all = new Table(*kinds);
  return *all;
}

// ---- Failures -----------------------------------------------------------------------------------

int fail(int error) {
  errno = error;
  return -1;
}

void say(const std::string& sentence) {
  std::fputs(("netmapxx: " + sentence + '\n').c_str(), stderr);
}

/// What an errno leaves unsaid is said if the environment asks for it.
int fail(const Error& why, int error) {
  if (!os::environment("NETMAP_EXPLAIN").empty()) say(why.message());
  return fail(error);
}
int fail(const Error& why) {
  return fail(why, errno_of(why.code()));
}

/// Programs were not written for exceptions.
template <class Call>
auto guarded(Call&& call) -> decltype(call()) {
  const NotCancelled whole;
  try {
    return call();
  } catch (const std::bad_alloc&) {
    errno = ENOMEM;
  } catch (const std::exception& error) {
    say(error.what());
    errno = EIO;
  }
  return decltype(call())(-1);
}

// ---- Descriptors --------------------------------------------------------------------------------

/// Those of the device are out of the way, where programs do not expect any.
int first_private() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur / 4 * 3, 4096));
}

int keep(int fd) noexcept {
  static const int first = first_private();
  const int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, first);
  if (moved < 0) {
    kinds->set(fd, Kind::private_);
    return fd;
  }
  ::close(fd);
  kinds->set(moved, Kind::private_);
  return moved;
}

void forgo(int fd) noexcept {
  kinds->set(fd, Kind::other);
}

constexpr os::DescriptorKeeper keeper{keep, forgo};

/// Until it is registered a file's descriptor is one of the domain's state.
int open(int flags) {
  return guarded([&] {
    std::shared_ptr<OpenFile> file;  // these two may go, but without the lock
    std::shared_ptr<void> closed_past_us;
    const std::scoped_lock only(OpenFile::control_mutex());
    auto domain = embedded::Domain::at("");
    if (!domain) {
      say("/dev/netmap: " + domain.error().message());
      return fail(errno_of(domain.error().code()));
    }
    const int fd = ::openat((*domain)->directory().fd(), "domain", O_RDWR | (flags & O_CLOEXEC));
    if (fd < 0) return -1;
    auto device = std::make_unique<embedded::Endpoint>(*domain, "", DeviceOptions());
    file = std::make_shared<OpenFile>(std::move(device));
    closed_past_us = table().remove(fd);
    if (table().add(fd, file)) return fd;
    ::close(fd);
    return fail(EMFILE);
  });
}

void forget(int fd) {
  guarded([&] {
    table().remove(fd);
    return 0;
  });
}

/// The device looks whether others have copies, so the program's goes first.
int close(int fd) {
  return guarded([&] {
    const auto file = table().remove(fd);
    return ::close(fd);
  });
}

void duplicated(int from, int to) {
  guarded([&] {
    table().duplicate(from, to);
    return 0;
  });
}

// ---- Requests -----------------------------------------------------------------------------------

int ioctl(int fd, unsigned long number, void* argument) {
  return guarded([&] {
    const auto file = table().file(fd);
    if (!file) return fail(file.error(), ENXIO);
    const bool was_registered = (*file)->life() >= 0;
    if (auto done = request(**file, number, argument); !done) return fail(done.error());
    if (!was_registered && (*file)->life() >= 0) table().follow(**file);
    return 0;
  });
}

void* mmap(void* address, std::size_t bytes, int protection, int flags, int fd, off_t offset) {
  const auto call = [&] {
    const auto file = table().file(fd);
    if (!file) return static_cast<intptr_t>(fail(file.error(), ENXIO));
    const auto at = map(**file, {address, bytes, protection, flags, offset});
    return at ? reinterpret_cast<intptr_t>(*at) : static_cast<intptr_t>(fail(at.error()));
  };
  return reinterpret_cast<void*>(guarded(call));  // -1 is MAP_FAILED
}

// ---- Waiting ------------------------------------------------------------------------------------

int poll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* signals) {
  return guarded([&] {
    std::vector<Watched> watched;
    std::vector<pollfd> others;
    std::vector<pollfd*> watched_at;
    std::vector<pollfd*> others_at;
    for (pollfd& one : std::span(fds, count)) {
      if (kinds->of(one.fd) == Kind::netmap) {
        watched.push_back({table().file(one.fd).value_or(nullptr), one.events});
        watched_at.push_back(&one);
      } else {
        others.push_back({one.fd, one.events, 0});
        others_at.push_back(&one);
      }
    }
    Deadline deadline(timeout);
    const int found = wait(watched, others, deadline, signals);
    if (found < 0) return found;
    for (std::size_t i = 0; i != watched.size(); ++i) watched_at[i]->revents = watched[i].found;
    for (std::size_t i = 0; i != others.size(); ++i) others_at[i]->revents = others[i].revents;
    return found;
  });
}

int epoll_ctl(int fd, int operation, int of, epoll_event* event) {
  return guarded([&] {
    const auto file = table().file(of);
    if (!file) return fail(file.error(), ENXIO);
    const auto set = table().make_set(fd);
    if (!set) return fail(EINVAL);
    if (event == nullptr && operation != EPOLL_CTL_DEL) return fail(EFAULT);
    const auto done = set->control(operation, of, *file, event);
    return done ? fail(done.value()) : 0;
  });
}

int epoll_wait(int fd, epoll_event* events, int count, const timespec* timeout,
               const sigset_t* signals) {
  return guarded([&] {
    const auto set = table().set(fd);
    if (!set) return fail(EBADF);
    if (count <= 0) return fail(EINVAL);
    return set->wait(fd, std::span(events, static_cast<std::size_t>(count)), timeout, signals);
  });
}

constexpr Core core{open, close, forget, duplicated, ioctl, mmap, poll, epoll_ctl, epoll_wait};

}  // namespace

extern "C" [[gnu::visibility("default")]] const Core* netmapxx_preload_start(
    Descriptors& descriptors) {
  kinds = &descriptors;
  os::keeper = &keeper;
  ::pthread_atfork([] { table().lock_all(); }, [] { table().unlock_all(); },
                   [] {
                     table().forget_threads();
                     table().unlock_all();
                   });
  return &core;
}

}  // namespace netmap::preload
