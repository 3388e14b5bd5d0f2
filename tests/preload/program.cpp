// SPDX-License-Identifier: BSD-2-Clause
#include "preload/program.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace netmap::preload {
namespace {

constexpr const char* sender_role = "send-by-inherited-descriptor";

int send_inherited(char** arguments) {
  NetmapFile file(std::atoi(arguments[0]));
  abi::nmreq_register body{};
  body.nr_offset = std::strtoull(arguments[1], nullptr, 10);
  body.nr_memsize = std::strtoull(arguments[2], nullptr, 10);
  body.nr_tx_rings = 1;
  body.nr_rx_rings = 1;
  file.know(body);
  return file.map() == 0 && file.put(0, 1) == 1 && file.sync_tx() == 0 ? 0 : 1;
}

/// Starts the program once more with the shim before libc, if it is not there yet, or in its role.
[[gnu::constructor]] void begin(int count, char** arguments, char**) {
  const char* const loaded = std::getenv("LD_PRELOAD");
  if (loaded == nullptr || std::string_view(loaded).find(PRELOAD_PATH) == std::string_view::npos) {
    ::setenv("LD_PRELOAD", PRELOAD_PATH, 1);
    ::execv("/proc/self/exe", arguments);
    std::abort();
  }
  if (count == 5 && std::strcmp(arguments[1], sender_role) == 0) {
    ::_exit(send_inherited(arguments + 2));
  }
}

}  // namespace

bool Program::is_free(const std::string& port) {
  return NetmapFile().regist(port, abi::register_flags::exclusive) == 0;
}

NetmapFile::NetmapFile(const std::string& port, std::uint64_t flags) : NetmapFile() {
  const int failed = regist(port, flags);
  if (failed != 0) throw std::runtime_error(port + ": " + std::strerror(failed));
  if (const int unmapped = map(); unmapped != 0) throw std::runtime_error(std::strerror(unmapped));
}

NetmapFile::~NetmapFile() {
  close();
}

void NetmapFile::close() {
  if (memory_ != nullptr) ::munmap(std::exchange(memory_, nullptr), body_.nr_memsize);
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

int NetmapFile::regist(const std::string& port, std::uint64_t flags) {
  abi::nmreq_header header{};
  header.nr_version = abi::version::current;
  header.nr_reqtype = abi::request::port_register;
  port.copy(header.nr_name, sizeof header.nr_name - 1);
  header.nr_body = reinterpret_cast<std::uintptr_t>(&body_);
  body_ = {};
  body_.nr_mode = abi::mode::all_nic;
  body_.nr_flags = flags;
  body_.nr_tx_slots = body_.nr_rx_slots = 16;
  return ::ioctl(fd_, abi::ioctl_number::ctrl, &header) == 0 ? 0 : errno;
}

int NetmapFile::map() {
  void* const at = ::mmap(nullptr, body_.nr_memsize, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (at == MAP_FAILED) return errno;
  memory_ = static_cast<std::byte*>(at);
  return 0;
}

std::uint32_t NetmapFile::put(std::uint32_t first, std::uint32_t count) const {
  abi::netmap_ring& ring = tx();
  std::uint32_t sent = 0;
  for (; sent != count && ring.head != ring.tail; ++sent) {
    const std::uint32_t number = first + sent;
    std::memcpy(buffer(ring, ring.head), &number, sizeof number);
    abi::slots_of(ring)[ring.head].len = 60;
    ring.head = ring.cur = ring.head + 1 == ring.num_slots ? 0 : ring.head + 1;
  }
  return sent;
}

std::uint32_t NetmapFile::take(std::uint32_t next) const {
  abi::netmap_ring& ring = rx();
  while (ring.head != ring.tail) {
    std::uint32_t number = 0;
    std::memcpy(&number, buffer(ring, ring.head), sizeof number);
    EXPECT_EQ(number, next);
    EXPECT_EQ(abi::slots_of(ring)[ring.head].len, 60);
    next = number + 1;
    ring.head = ring.cur = ring.head + 1 == ring.num_slots ? 0 : ring.head + 1;
  }
  return next;
}

abi::netmap_ring& NetmapFile::ring(std::uint32_t place) const {
  auto& interface = *reinterpret_cast<abi::netmap_if*>(memory_ + body_.nr_offset);
  return *reinterpret_cast<abi::netmap_ring*>(memory_ + body_.nr_offset +
                                              abi::ring_offsets_of(interface)[place]);
}

std::byte* NetmapFile::buffer(abi::netmap_ring& ring, std::uint32_t slot) {
  auto* const base = reinterpret_cast<std::byte*>(&ring);
  const std::uint32_t index = abi::slots_of(ring)[slot].buf_idx;
  return base + ring.buf_ofs + std::uint64_t{index} * ring.nr_buf_size;
}

int run(const std::vector<std::string>& command) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& argument : command) {
      arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    ::execv(arguments.front(), arguments.data());
    ::_exit(127);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::vector<std::string> sender(const NetmapFile& file) {
  return {"/proc/self/exe", sender_role, std::to_string(file.fd()),
          std::to_string(file.body().nr_offset), std::to_string(file.body().nr_memsize)};
}

}  // namespace netmap::preload
