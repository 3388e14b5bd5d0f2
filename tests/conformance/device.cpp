// SPDX-License-Identifier: BSD-2-Clause
#include "conformance/device.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace netmap::conformance {
namespace {

/// A directory of this process and its children, gone at the end.
class ScratchDomain {
 public:
  ScratchDomain() : owner_(::getpid()) {
    std::string path = "/dev/shm/netmapxx-test-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("cannot make " + path);
    path_ = path;
  }
  ScratchDomain(const ScratchDomain&) = delete;
  ScratchDomain& operator=(const ScratchDomain&) = delete;
  ~ScratchDomain() {
    std::error_code ignored;
    if (::getpid() == owner_) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  ::pid_t owner_;
  std::string path_;
};

/// Or what stands for it, see preload/.
bool has_module() {
  const int fd = ::open(abi::device_path, O_RDWR | O_CLOEXEC);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

}  // namespace

std::string device_name(const testing::TestParamInfo<Setting>& info) {
  return std::string(to_string(info.param.device)) + (info.param.has_faults ? "_with_faults" : "");
}

void OnDevice::SetUp() {
  if (is_kernel() && !has_module()) {
    GTEST_SKIP() << "there is no netmap module here that this user may use; tests/kernel/run "
                    "boots a guest that has it";
  }
  static int cases = 0;
  base_ = "c" + std::to_string(::getpid()) + "n" + std::to_string(++cases);
}

DeviceOptions OnDevice::device() {
  static const ScratchDomain domain;
  return {GetParam().device, is_kernel() ? std::string() : domain.path()};
}

std::vector<std::byte> numbered(std::uint32_t number, std::size_t bytes) {
  std::vector<std::byte> packet(bytes);
  std::memcpy(packet.data(), &number, sizeof number);
  for (std::size_t i = sizeof number; i < bytes; ++i) {
    packet[i] = static_cast<std::byte>(number * 7 + i);
  }
  return packet;
}

std::optional<std::uint32_t> number_of(std::span<const std::byte> packet) {
  std::uint32_t number = 0;
  if (packet.size() < sizeof number) return {};
  std::memcpy(&number, packet.data(), sizeof number);
  if (!std::ranges::equal(packet, numbered(number, packet.size()))) return {};
  return number;
}

std::optional<std::uint32_t> number_of(const Packet& packet) {
  std::vector<std::byte> bytes(packet.size());
  must(packet.copy_to(bytes));
  return number_of(bytes);
}

std::uint32_t send_numbered(TxRing& ring, std::uint32_t first, std::uint32_t count,
                            std::size_t bytes) {
  for (std::uint32_t sent = 0; sent != count; ++sent) {
    const auto result = ring.send(numbered(first + sent, bytes));
    if (code_of(result) == make_error_code(errc::ring_full)) return sent;
    must(result);
  }
  return count;
}

std::vector<std::uint32_t> take_numbers(RxRing& ring) {
  std::vector<std::uint32_t> taken;
  ring.for_each([&](const Packet& packet) {
    const auto number = number_of(packet);
    EXPECT_TRUE(number) << "packet " << taken.size() << " is damaged";
    taken.push_back(number.value_or(UINT32_MAX));
  });
  return taken;
}

std::vector<std::uint32_t> numbers(std::uint32_t first, std::uint32_t count) {
  std::vector<std::uint32_t> all(count);
  for (std::uint32_t i = 0; i != count; ++i) all[i] = first + i;
  return all;
}

int Child::split() {
  const int process = ::fork();
  if (process < 0) throw std::runtime_error("cannot fork");
  return process;
}

void Child::complain(const std::exception& failure) {
  std::fprintf(stderr, "in the child process: %s\n", failure.what());
}

void Child::leave(bool succeeded) {
  ::_exit(succeeded ? EXIT_SUCCESS : EXIT_FAILURE);
}

bool Child::succeeded() {
  if (process_ == 0) return succeeded_;
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = 0;
  succeeded_ = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
  return succeeded_;
}

}  // namespace netmap::conformance
