// SPDX-License-Identifier: BSD-2-Clause
#include "os/os.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__linux__)
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#endif

namespace netmap::os {

File::~File() {
  if (*this) ::close(release());
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

Outcome<Mapping> map_private(std::size_t bytes) {
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return failure();
  return Mapping(std::span(static_cast<std::byte*>(base), bytes));
}

Outcome<> ioctl(int fd, unsigned long number, void* argument) noexcept {
  int result = 0;
  do {
    result = ::ioctl(fd, number, argument);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return failure();
  if (result > 0) return failure(result);
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

#if defined(__linux__)

Outcome<File> watch_deletion(const std::string& interface) {
  const std::uint32_t index = ::if_nametoindex(interface.c_str());
  if (index == 0) return failure();
  File socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!socket) return failure();
  // Of all messages about links, which a filter loads in network order, the one.
  std::array filter{
      sock_filter BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(nlmsghdr, nlmsg_type)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELLINK), 0, 5),
      // An interface that leaves a bridge is told as this family's.
      sock_filter BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
                           NLMSG_HDRLEN + offsetof(ifinfomsg, ifi_family)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNSPEC, 0, 3),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NLMSG_HDRLEN + offsetof(ifinfomsg, ifi_index)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(index), 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, UINT32_MAX), sock_filter BPF_STMT(BPF_RET | BPF_K, 0)};
  const sock_fprog program{filter.size(), filter.data()};
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (::setsockopt(socket.fd(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
      ::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failure();
  }
  return socket;
}

#else

Outcome<File> watch_deletion(const std::string&) {
  return std::unexpected(std::make_error_code(std::errc::function_not_supported));
}

#endif

bool hush(int fd) noexcept {
  char bytes[64];
  ssize_t got = ::read(fd, bytes, sizeof bytes);
  const bool was_anything = got > 0;
  while (got == sizeof bytes) got = ::read(fd, bytes, sizeof bytes);
  return was_anything;
}

std::size_t page_bytes() noexcept {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

bool exists(const char* path) noexcept {
  return ::access(path, F_OK) == 0;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace netmap::os
