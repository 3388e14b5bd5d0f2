// SPDX-License-Identifier: BSD-2-Clause
//
// What the tests of the embedded device stand on: a domain that nobody else uses, other processes
// that may be killed, memory that both see, and numbered packets.
#pragma once

#include <netmap/netmap.hpp>

#include "support/random.hpp"
#include "support/result.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <new>
#include <optional>
#include <ostream>
#include <set>
#include <source_location>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace netmap::embedded {

using test::code_of;
using test::must;
using test::Random;

/// How long to wait for what must happen.
inline constexpr auto patience = std::chrono::seconds(60);
/// How long to wait for what must not happen.
inline constexpr auto moment = std::chrono::milliseconds(20);

template <class T>
std::string message_of(const Result<T>& result) {
  return result ? std::string() : result.error().message();
}
inline std::error_code os_error(int number) {
  return {number, std::system_category()};
}

/// Rings that are full, and come round, soon.
inline const PortOptions small_rings{.conf = {.tx_slots = 16, .rx_slots = 16}};

/// Ends `port`, which may be given another value later.
inline void close(Port& port) {
  const Port closed = std::move(port);
}

/// A fresh directory, gone with everything in it at the end.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(const std::string& parent = "/dev/shm");
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// The names of what lies in it.
  [[nodiscard]] std::set<std::string> files() const;

 private:
  ::pid_t owner_;
  std::string path_;
};

/// Descriptors of this process.
std::size_t open_files();

/// A case with a domain of its own.
class InDomain : public testing::Test {
 protected:
  [[nodiscard]] const std::string& path() const { return directory_.path(); }
  [[nodiscard]] std::set<std::string> files() const { return directory_.files(); }
  [[nodiscard]] DeviceOptions device() const { return {DeviceKind::embedded, path()}; }

  [[nodiscard]] Result<Port> try_open(const std::string& name, PortOptions options = {}) const {
    options.device = device();
    return netmap::open(name, options);
  }
  [[nodiscard]] Port open(const std::string& name, const PortOptions& options = {},
                          std::source_location at = std::source_location::current()) const {
    return must(try_open(name, options), at);
  }
  /// How many objects of the region are in use, and how many buffers there may be; 0: any number.
  struct InUse {
    std::size_t buffers;
    std::size_t rings;
    std::size_t interfaces;
    std::size_t buffer_limit;

    friend bool operator==(const InUse&, const InUse&) = default;
    friend std::ostream& operator<<(std::ostream& out, const InUse& use) {
      return out << use.buffers << " buffers, " << use.rings << " rings, " << use.interfaces
                 << " interfaces, limit " << use.buffer_limit;
    }
  };
  [[nodiscard]] InUse in_use(std::uint16_t memory_id) const;
  [[nodiscard]] std::size_t buffers(std::uint16_t memory_id) const {
    return in_use(memory_id).buffers;
  }
  /// One request, spoken as the kernel's ioctl is.
  Result<> send(std::uint16_t type, const std::string& name, void* body) const;

 private:
  ScratchDirectory directory_;
};

/// The files of a domain that nobody uses.
inline const std::set<std::string> at_rest{"domain", "lock"};

// ---- Other processes ----------------------------------------------------------------------------

/// Another process. It is killed if the test forgets it.
class Process {
 public:
  /// `work()` yields whether it succeeded; an exception or a failed expectation is a failure.
  template <std::invocable Work>
  explicit Process(Work work) : id_(split()) {
    if (id_ != 0) return;
    bool succeeded = false;
    try {
      succeeded = work() && !testing::Test::HasFailure();
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "in another process: %s\n", failure.what());
    }
    leave(succeeded);
  }
  Process(Process&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
  Process& operator=(Process&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~Process() { kill(); }

  [[nodiscard]] ::pid_t id() const { return id_; }
  /// Waits for its end; whether `work` succeeded.
  [[nodiscard]] bool succeeded();
  /// Ends it between any two instructions, if it has not ended.
  void kill();

 private:
  static ::pid_t split();
  [[noreturn]] static void leave(bool succeeded);
  int wait();

  ::pid_t id_;
};

/// One T in memory that this process and those it forks see.
template <class T>
class Shared {
 public:
  Shared() {
    void* memory =
        ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    value_ = new (memory) T();
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { ::munmap(value_, sizeof(T)); }
  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  T* value_;
};

/// Waits until `holds()`, without ever sleeping for long; false if it takes too long.
template <std::predicate Holds>
[[nodiscard]] bool await(Holds holds) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::usleep(0);
  }
  return true;
}

/// Memory that a port can be opened in.
class OwnMemory {
 public:
  static constexpr std::size_t size = std::size_t{1} << 20;

  OwnMemory()
      : base_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (base_ == MAP_FAILED) throw std::bad_alloc();
  }
  OwnMemory(const OwnMemory&) = delete;
  OwnMemory& operator=(const OwnMemory&) = delete;
  ~OwnMemory() { ::munmap(base_, size); }
  [[nodiscard]] std::span<std::byte> bytes() const {
    return {static_cast<std::byte*>(base_), size};
  }
  [[nodiscard]] ExternalRange range() const { return {bytes(), {.if_num = 8, .buf_num = 100}}; }

 private:
  void* base_;
};

// ---- Numbered packets ---------------------------------------------------------------------------

/// How many bytes packet `number` has: mostly few, now and then more than a buffer holds.
[[nodiscard]] std::size_t size_of(std::uint64_t number);

/// Commits packet `number`; false if there is no room.
[[nodiscard]] bool send_number(TxRing& ring, std::uint64_t number);
/// Commits packets from `first` to `end`, as many as fit; yields the next to be sent.
std::uint64_t send_numbers(TxRing& ring, std::uint64_t first, std::uint64_t end);
/// Sends packet `number` on that ring, which must have room.
void send_one(Port& port, std::uint64_t number = 0, std::size_t ring = 0);

/// The number of a packet, nothing if it is not what send_number() sent.
[[nodiscard]] std::optional<std::uint64_t> number_of(const Packet& packet);
/// Takes up to `limit` packets, whose numbers must go on from `next`; yields the next number.
std::uint64_t take_numbers(RxRing& ring, std::uint64_t next, std::size_t limit = SIZE_MAX);

/// Sends numbers up to `end`, sleeping whenever there is no room; false if there is none for long.
[[nodiscard]] bool send_all(Port& port, std::uint64_t end);
/// Takes numbers up to `end`, sleeping whenever there is none; false if none comes for long.
[[nodiscard]] bool receive_all(Port& port, std::uint64_t end);

}  // namespace netmap::embedded
