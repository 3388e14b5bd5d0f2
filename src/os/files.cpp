// SPDX-License-Identifier: BSD-2-Clause
#include "os/files.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <ctime>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace netmap::os {
namespace {

Outcome<> outcome(int result) {
  if (result < 0) return failure();
  return {};
}

}  // namespace

Outcome<FileStatus> status(const File& file) {
  struct stat status{};
  struct statfs system{};
  if (::fstat(file.fd(), &status) < 0 || ::fstatfs(file.fd(), &system) < 0) return failure();
  const auto type = static_cast<std::uint64_t>(system.f_type);
  return FileStatus{.device = status.st_dev,
                    .inode = status.st_ino,
                    .bytes = static_cast<std::uint64_t>(status.st_size),
                    .owner = status.st_uid,
                    .group = status.st_gid,
                    .mode = status.st_mode,
                    .on_tmpfs = type == TMPFS_MAGIC,
                    .is_regular = S_ISREG(status.st_mode)};
}

Outcome<bool> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return true;
  if (errno == EEXIST) return false;
  return failure();
}

void remove_directory(const std::string& path) noexcept {
  ::rmdir(path.c_str());
}

Outcome<std::vector<std::string>> list(const File& directory) {
  auto file = open(directory.fd(), ".", O_RDONLY | O_DIRECTORY);
  if (!file) return std::unexpected(file.error());
  const auto close = [](DIR* stream) { ::closedir(stream); };
  const std::unique_ptr<DIR, decltype(close)> stream(::fdopendir(file->fd()));
  if (!stream) return failure();
  (void)file->release();
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) names.emplace_back(entry->d_name);
  return names;
}

Outcome<File> make_file(const File& directory, const std::string& name, mode_t mode) {
  auto file = open(directory.fd(), ".", O_RDWR | O_TMPFILE, mode);
  if (!file) return file;
  const auto link = "/proc/self/fd/" + std::to_string(file->fd());
  if (::fchmod(file->fd(), mode) < 0 ||
      ::linkat(AT_FDCWD, link.c_str(), directory.fd(), name.c_str(), AT_SYMLINK_FOLLOW) < 0) {
    return failure();
  }
  return file;
}

Outcome<> make_fifo(const File& directory, const std::string& name) {
  return outcome(::mkfifoat(directory.fd(), name.c_str(), 0600));
}

Outcome<> set_mode(const File& directory, const std::string& name, mode_t mode) {
  return outcome(::fchmodat(directory.fd(), name.c_str(), mode, AT_SYMLINK_NOFOLLOW));
}

Outcome<> remove(const File& directory, const std::string& name) {
  if (::unlinkat(directory.fd(), name.c_str(), 0) < 0 && errno != ENOENT) return failure();
  return {};
}

Outcome<> set_size(const File& file, std::uint64_t bytes) {
  return outcome(::ftruncate(file.fd(), static_cast<off_t>(bytes)));
}

Outcome<> reserve(const File& file, std::uint64_t offset, std::uint64_t bytes) {
  int error = 0;
  do {
    error = ::posix_fallocate(file.fd(), static_cast<off_t>(offset), static_cast<off_t>(bytes));
  } while (error == EINTR);
  if (error != 0) return failure(error);
  return {};
}

Outcome<Mapping> map_at(const File& file, std::uint64_t offset, std::size_t bytes) {
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(),
                      static_cast<off_t>(offset));
  if (base == MAP_FAILED) return failure();
  return Mapping(std::span(static_cast<std::byte*>(base), bytes));
}

Outcome<> map_over(const File& file, std::span<std::byte> bytes) {
  void* base = ::mmap(bytes.data(), bytes.size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                      file.fd(), 0);
  return outcome(base == MAP_FAILED ? -1 : 0);
}

Outcome<> map_private_over(std::span<std::byte> bytes) {
  void* base = ::mmap(bytes.data(), bytes.size(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  return outcome(base == MAP_FAILED ? -1 : 0);
}

Outcome<> write_all(const File& file, std::span<const std::byte> bytes) {
  off_t offset = 0;
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file.fd(), bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failure(written < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += written;
  }
  return {};
}

Outcome<> read_all(const File& file, std::span<std::byte> bytes) {
  off_t offset = 0;
  while (!bytes.empty()) {
    const ssize_t got = ::pread(file.fd(), bytes.data(), bytes.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure();
    if (got == 0) return {};
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += got;
  }
  return {};
}

Outcome<std::string> path_of(int fd) {
  std::array<char, PATH_MAX> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
  if (length < 0) return failure();
  return std::string(path.data(), static_cast<std::size_t>(length));
}

Outcome<std::string> real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), ::free);
  if (!real) return failure();
  return std::string(real.get());
}

Outcome<bool> try_lock(const File& file) {
  if (::flock(file.fd(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return failure();
}

Outcome<> lock(const File& file) {
  while (::flock(file.fd(), LOCK_EX) != 0) {
    if (errno != EINTR) return failure();
  }
  return {};
}

void unlock(const File& file) noexcept {
  ::flock(file.fd(), LOCK_UN);
}

void ring(const File& fifo) noexcept {
  const char byte = 0;
  [[maybe_unused]] const ssize_t written = ::write(fifo.fd(), &byte, 1);
}

bool register_barrier() noexcept {
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0;
}

void barrier() noexcept {
  ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
}

Outcome<> read_memory(std::span<std::byte> into, const void* from) noexcept {
  const iovec here{into.data(), into.size()};
  const iovec there{const_cast<void*>(from), into.size()};
  const ssize_t bytes = ::process_vm_readv(::getpid(), &here, 1, &there, 1, 0);
  if (bytes < 0) return failure();
  if (static_cast<std::size_t>(bytes) != into.size()) return failure(EFAULT);
  return {};
}

std::uint32_t user() noexcept {
  return ::geteuid();
}

std::uint32_t process() noexcept {
  return static_cast<std::uint32_t>(::getpid());
}

void pause(std::chrono::nanoseconds duration) noexcept {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration);
  const timespec time{static_cast<time_t>(seconds.count()),
                      static_cast<long>((duration - seconds).count())};
  ::nanosleep(&time, nullptr);
}

}  // namespace netmap::os
