// SPDX-License-Identifier: BSD-2-Clause
//
// A program as others wrote it for netmap, with the kernel's structures and libc alone. The tests
// here are such programs: their process has the shim loaded, see program.cpp.
#pragma once

#include <netmap/abi.hpp>

#include "embedded/support.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace netmap::preload {

using embedded::await;
using embedded::patience;
using embedded::Process;
using embedded::Shared;

/// A domain of the test's own, which `open("/dev/netmap")` takes.
class Program : public testing::Test {
 protected:
  Program() { ::setenv("NETMAP_DOMAIN", directory_.path().c_str(), 1); }

  [[nodiscard]] const std::string& domain() const { return directory_.path(); }
  /// Whether nobody has the port open.
  [[nodiscard]] static bool is_free(const std::string& port);

 private:
  embedded::ScratchDirectory directory_;
};

/// A descriptor of /dev/netmap and, once it is registered, the port's memory.
class NetmapFile {
 public:
  explicit NetmapFile(int fd = ::open(abi::device_path, O_RDWR | O_CLOEXEC)) : fd_(fd) {}
  /// Opened and registered. Throws if that fails.
  explicit NetmapFile(const std::string& port, std::uint64_t flags = 0);
  NetmapFile(NetmapFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        memory_(std::exchange(other.memory_, nullptr)),
        body_(other.body_) {}
  NetmapFile& operator=(NetmapFile&&) = delete;
  ~NetmapFile();

  [[nodiscard]] int fd() const { return fd_; }
  /// The errno, or 0.
  [[nodiscard]] int regist(const std::string& port, std::uint64_t flags = 0);
  [[nodiscard]] int map();
  void close();

  [[nodiscard]] int sync_tx() const { return ::ioctl(fd_, abi::ioctl_number::txsync, nullptr); }
  [[nodiscard]] int sync_rx() const { return ::ioctl(fd_, abi::ioctl_number::rxsync, nullptr); }
  [[nodiscard]] abi::netmap_ring& tx() const { return ring(0); }
  [[nodiscard]] abi::netmap_ring& rx() const { return ring(body_.nr_tx_rings + 1U); }

  /// Fills slots with `first` and the numbers that follow, as far as there is room; yields how
  /// many.
  std::uint32_t put(std::uint32_t first, std::uint32_t count = UINT32_MAX) const;
  /// Takes what is there and is numbered from `next` on; yields what comes next.
  [[nodiscard]] std::uint32_t take(std::uint32_t next) const;

  /// For a descriptor that came from elsewhere: where its rings are.
  [[nodiscard]] const abi::nmreq_register& body() const { return body_; }
  void know(const abi::nmreq_register& body) { body_ = body; }

 private:
  [[nodiscard]] abi::netmap_ring& ring(std::uint32_t place) const;
  [[nodiscard]] static std::byte* buffer(abi::netmap_ring& ring, std::uint32_t slot);

  int fd_;
  std::byte* memory_ = nullptr;
  abi::nmreq_register body_{};
};

/// Runs a program in a child, with what exec(3) leaves open; yields its exit status.
[[nodiscard]] int run(const std::vector<std::string>& command);
/// This program, to do nothing but to send packet 0 on a pipe that has one ring each way and that
/// it has inherited; what it then exits with is 0.
[[nodiscard]] std::vector<std::string> sender(const NetmapFile& file);

}  // namespace netmap::preload
