// SPDX-License-Identifier: BSD-2-Clause
#include "os/os.hpp"

#include <cerrno>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace netmap::os {
namespace {

std::unexpected<std::error_code> failure() {
  return std::unexpected(std::error_code(errno, std::system_category()));
}

}  // namespace

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

Mapping::~Mapping() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

Outcome<File> open(int directory, const std::string& path, int flags, mode_t mode) {
  int fd = -1;
  do {
    fd = ::openat(directory, path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return failure();
  return File(fd);
}

Outcome<Mapping> map(const File& file, std::size_t bytes) {
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0);
  if (base == MAP_FAILED) return failure();
  return Mapping(std::span(static_cast<std::byte*>(base), bytes));
}

Outcome<> ioctl(int fd, unsigned long number, void* argument) noexcept {
  int result = 0;
  do {
    result = ::ioctl(fd, number, argument);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return failure();
  return {};
}

Outcome<> poll(std::span<pollfd> fds, std::chrono::nanoseconds timeout) noexcept {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const timespec limit{static_cast<time_t>(seconds.count()),
                       static_cast<long>((timeout - seconds).count())};
  const bool bounded = timeout != std::chrono::nanoseconds::max();
  const auto count = static_cast<nfds_t>(fds.size());
  if (::ppoll(fds.data(), count, bounded ? &limit : nullptr, nullptr) >= 0) return {};
  for (pollfd& one : fds) one.revents = 0;
  if (errno == EINTR) return {};
  return failure();
}

bool exists(const char* path) noexcept {
  return ::access(path, F_OK) == 0;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace netmap::os
