// SPDX-License-Identifier: BSD-2-Clause
//
// Every call of the operating system that the library makes, and nothing else. Failures are the
// errno as an error_code; EINTR is retried except where waiting is the point.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/types.h>

namespace netmap::os {

#if defined(__linux__)
inline constexpr bool is_linux = true;
#else
inline constexpr bool is_linux = false;
#endif

template <class T = void>
using Outcome = std::expected<T, std::error_code>;

/// What the call just made failed with, unless it says so itself.
[[nodiscard]] inline std::unexpected<std::error_code> failure(int error = errno) {
  return std::unexpected(std::error_code(error, std::system_category()));
}

/// Who keeps the library's descriptors apart from those of the program around it, if anybody does.
/// Set once, before the first is opened.
struct DescriptorKeeper {
  int (*opened)(int fd) noexcept;  ///< yields the number to be used from here on
  void (*closing)(int fd) noexcept;
};
inline const DescriptorKeeper* keeper = nullptr;

/// Owns a descriptor.
class File {
 public:
  File() noexcept = default;
  explicit File(int fd) noexcept : fd_(keeper != nullptr && fd >= 0 ? keeper->opened(fd) : fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File();

  [[nodiscard]] int fd() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  /// Leaves the descriptor to the caller.
  [[nodiscard]] int release() noexcept {
    if (keeper != nullptr && fd_ >= 0) keeper->closing(fd_);
    return std::exchange(fd_, -1);
  }

 private:
  int fd_ = -1;
};

/// Owns writable mapped memory.
class Mapping {
 public:
  Mapping() noexcept = default;
  explicit Mapping(std::span<std::byte> bytes) noexcept : bytes_(bytes) {}
  Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Mapping();

  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

/// open(2), always with O_CLOEXEC. `directory` is AT_FDCWD or the descriptor `path` is relative to.
[[nodiscard]] Outcome<File> open(int directory, const std::string& path, int flags,
                                 mode_t mode = 0);
[[nodiscard]] Outcome<Mapping> map(const File& file, std::size_t bytes);
/// Memory of this process alone, all zero; what is not touched costs nothing.
[[nodiscard]] Outcome<Mapping> map_private(std::size_t bytes);
/// Of netmap's requests, which yield nothing: what is above 0 is an errno, which the module gives
/// with the wrong sign for descriptors of a sync loop that are none.
[[nodiscard]] Outcome<> ioctl(int fd, unsigned long number, void* argument) noexcept;

/// Waits for events at most for `timeout` (nanoseconds::max(): for ever). A signal ends the wait
/// as the timeout does. `fds[].revents` say what happened.
[[nodiscard]] Outcome<> poll(std::span<pollfd> fds, std::chrono::nanoseconds timeout) noexcept;

/// A socket that becomes readable when a network interface is deleted. Linux: rtnetlink(7).
[[nodiscard]] Outcome<File> watch_deletion(const std::string& interface);
/// Uses up all that can be read; yields whether there was anything.
bool hush(int fd) noexcept;

/// Bytes of a page of memory.
[[nodiscard]] std::size_t page_bytes() noexcept;

/// Whether the file is there, whatever its rights.
[[nodiscard]] bool exists(const char* path) noexcept;

/// The value of an environment variable, empty if unset.
[[nodiscard]] std::string environment(const char* name);

}  // namespace netmap::os
