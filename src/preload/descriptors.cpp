// SPDX-License-Identifier: BSD-2-Clause
#include "preload/descriptors.hpp"

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace netmap::preload {

constinit Descriptors descriptors;

namespace {

constinit std::atomic<bool> has_any = false;
constinit std::atomic<const Core*> loaded = nullptr;
constinit std::atomic<pid_t> process = 0;
constinit pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

/// Beside this library.
bool find_core(char* path, std::size_t bytes) {
  Dl_info here;
  if (::dladdr(&descriptors, &here) == 0) return false;
  const char* const slash = std::strrchr(here.dli_fname, '/');
  const int directory = slash != nullptr ? static_cast<int>(slash - here.dli_fname) + 1 : 0;
  const int length =
      std::snprintf(path, bytes, "%.*slibnetmapxx-preload-core.so", directory, here.dli_fname);
  return length > 0 && static_cast<std::size_t>(length) < bytes;
}

/// The loader has a lock of its own.
StartCore* find_start() {
  char path[PATH_MAX];
  if (!find_core(path, sizeof path)) return nullptr;
  void* const library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  void* const start = library != nullptr ? ::dlsym(library, start_core) : nullptr;
  if (start == nullptr) {
    ::dprintf(STDERR_FILENO, "netmapxx: /dev/netmap cannot be had: %s\n", ::dlerror());
  }
  return reinterpret_cast<StartCore*>(start);
}

const Core* begin(StartCore* start) {
  process = ::getpid();
  ::pthread_atfork(nullptr, nullptr, [] { process = ::getpid(); });
  return start(descriptors);
}

/// Whether the descriptor's file has a name that the embedded device gives: its life as an
/// endpoint.
bool is_life(int fd) {
  struct stat status;
  if (::fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode)) return false;
  // What has no name at all is told sooner: /proc makes its entries when they are asked for.
  struct statfs system;
  if (::fstatfs(fd, &system) != 0 || system.f_type == PIPEFS_MAGIC) return false;
  char link[32];
  char path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = ::readlink(link, path, sizeof path);
  constexpr char ending[] = ".life";
  constexpr ssize_t ending_length = sizeof ending - 1;
  if (length <= ending_length) return false;
  const char* const end = path + length - ending_length;
  return end[-1] >= '0' && end[-1] <= '9' && std::memcmp(end, ending, sizeof ending - 1) == 0;
}

/// What exec(3) has left open.
[[gnu::constructor]] void meet_inherited() {
  constexpr rlim_t most = 1024;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto count = static_cast<int>(limit.rlim_cur < most ? limit.rlim_cur : most);
  pollfd open[most];
  for (int fd = 0; fd != count; ++fd) open[fd] = {fd, 0, 0};
  if (::poll(open, static_cast<nfds_t>(count), 0) < 0) return;
  for (int fd = 0; fd != count; ++fd) {
    if ((open[fd].revents & POLLNVAL) == 0) meet(fd);
  }
}

}  // namespace

bool is_idle() noexcept {
  return !has_any.load(std::memory_order_relaxed);
}

const Core* core() noexcept {
  if (const Core* const known = loaded.load(std::memory_order_acquire)) return known;
  StartCore* const start = find_start();
  if (start == nullptr) {
    errno = ENXIO;
    return nullptr;
  }
  ::pthread_mutex_lock(&loading);
  const Core* found = loaded.load(std::memory_order_relaxed);
  if (found == nullptr) {
    found = begin(start);
    loaded.store(found, std::memory_order_release);
    has_any = true;
  }
  ::pthread_mutex_unlock(&loading);
  return found;
}

void meet(int fd) noexcept {
  if (!is_life(fd)) return;
  if (core() != nullptr) descriptors.set(fd, Kind::netmap);
}

bool is_borrowed_memory() noexcept {
  return process != ::getpid();
}

}  // namespace netmap::preload
