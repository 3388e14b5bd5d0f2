// SPDX-License-Identifier: BSD-2-Clause
#include "preload/descriptors.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
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

const Core* load() {
  char path[PATH_MAX];
  if (!find_core(path, sizeof path)) return nullptr;
  void* const library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    ::dprintf(STDERR_FILENO, "netmapxx: /dev/netmap cannot be had: %s\n", ::dlerror());
    return nullptr;
  }
  process = ::getpid();
  ::pthread_atfork(nullptr, nullptr, [] { process = ::getpid(); });
  const auto start = reinterpret_cast<StartCore*>(::dlsym(library, start_core));
  return start(descriptors);
}

/// Whether the descriptor's file has a name that the embedded device gives: its life as an
/// endpoint.
bool is_life(int fd) {
  struct stat status;
  if (::fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode)) return false;
  char link[32];
  char path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = ::readlink(link, path, sizeof path);
  constexpr char ending[] = ".life";
  constexpr ssize_t ending_length = sizeof ending - 1;
  return length > ending_length &&
         std::memcmp(path + length - ending_length, ending, sizeof ending - 1) == 0;
}

/// What exec(3) has left open.
[[gnu::constructor]] void meet_inherited() {
  constexpr int most = 1024;
  pollfd open[most];
  for (int fd = 0; fd != most; ++fd) open[fd] = {fd, 0, 0};
  if (::poll(open, most, 0) < 0) return;
  for (const pollfd& one : open) {
    if ((one.revents & POLLNVAL) == 0) meet(one.fd);
  }
}

}  // namespace

bool is_idle() noexcept {
  return !has_any.load(std::memory_order_relaxed);
}

const Core* core() noexcept {
  if (const Core* const known = loaded.load(std::memory_order_acquire)) return known;
  ::pthread_mutex_lock(&loading);
  const Core* found = loaded.load(std::memory_order_relaxed);
  if (found == nullptr) {
    found = load();
    loaded.store(found, std::memory_order_release);
    has_any = found != nullptr;
  }
  ::pthread_mutex_unlock(&loading);
  if (found == nullptr) errno = ENXIO;
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
