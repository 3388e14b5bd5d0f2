// SPDX-License-Identifier: BSD-2-Clause
#include "embedded/support.hpp"

#include "device/embedded/state.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>

namespace netmap::embedded {

ScratchDirectory::ScratchDirectory(const std::string& parent)
    : owner_(::getpid()), path_(parent + "/netmapxx-test-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  if (::getpid() == owner_) std::filesystem::remove_all(path_, ignored);
}

std::set<std::string> ScratchDirectory::files() const {
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(path_)) {
    names.insert(file.path().filename());
  }
  return names;
}

InDomain::InUse InDomain::in_use(std::uint16_t memory_id) const {
  const std::string name = path() + "/mem" + std::to_string(memory_id);
  const int file = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  void* const memory = ::mmap(nullptr, sizeof(RegionState), PROT_READ, MAP_SHARED, file,
                              static_cast<off_t>(region_bytes));
  ::close(file);
  if (memory == MAP_FAILED) throw std::runtime_error("cannot map " + name);
  const auto& state = *static_cast<const RegionState*>(memory);
  const InUse use{state.buffers.count(), state.rings.count(), state.interfaces.count(),
                  state.buffer_limit};
  ::munmap(memory, sizeof(RegionState));
  return use;
}

Result<> InDomain::send(std::uint16_t type, const std::string& name, void* body) const {
  abi::nmreq_header header{};
  header.nr_version = abi::version::current;
  header.nr_reqtype = type;
  name.copy(header.nr_name, sizeof header.nr_name - 1);
  header.nr_body = reinterpret_cast<std::uintptr_t>(body);
  return request(header, device());
}

::pid_t Process::split() {
  std::fflush(nullptr);
  const ::pid_t id = ::fork();
  if (id < 0) throw std::runtime_error("cannot fork");
  return id;
}

void Process::leave(bool succeeded) {
  std::fflush(nullptr);
  ::_exit(succeeded ? EXIT_SUCCESS : EXIT_FAILURE);
}

int Process::wait() {
  int status = -1;
  if (id_ != 0) {
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  id_ = 0;
  return status;
}

bool Process::succeeded() {
  const int status = wait();
  return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

void Process::kill() {
  if (id_ != 0) ::kill(id_, SIGKILL);
  wait();
}

// ---- Numbered packets ---------------------------------------------------------------------------

namespace {

std::byte filling(std::uint64_t number, std::size_t at) {
  return static_cast<std::byte>(number * 7 + at);
}

}  // namespace

std::size_t size_of(std::uint64_t number) {
  return number % 61 == 60 ? 60 + number % 6000 : 60;
}

bool send_number(TxRing& ring, std::uint64_t number) {
  std::array<std::byte, 6060> packet;
  const std::size_t size = size_of(number);
  std::memcpy(packet.data(), &number, sizeof number);
  for (std::size_t at = sizeof number; at != size; ++at) packet[at] = filling(number, at);
  const auto sent = ring.send(std::span(packet).first(size));
  if (code_of(sent) == make_error_code(errc::ring_full)) return false;
  must(sent);
  return true;
}

std::uint64_t send_numbers(TxRing& ring, std::uint64_t first, std::uint64_t end) {
  while (first != end && send_number(ring, first)) ++first;
  return first;
}

void send_one(Port& port, std::uint64_t number, std::size_t ring) {
  ASSERT_TRUE(send_number(port.tx_rings()[ring], number));
  must(port.sync_tx());
}

std::optional<std::uint64_t> number_of(const Packet& packet) {
  std::uint64_t number = 0;
  std::size_t at = 0;
  for (const RxSlot fragment : packet.fragments()) {
    const auto bytes = fragment.bytes();
    if (at == 0) {
      if (bytes.size() < sizeof number) return {};
      std::memcpy(&number, bytes.data(), sizeof number);
    }
    for (std::size_t i = at == 0 ? sizeof number : 0; i != bytes.size(); ++i) {
      if (bytes[i] != filling(number, at + i)) return {};
    }
    at += bytes.size();
  }
  if (at != size_of(number)) return {};
  return number;
}

std::uint64_t take_numbers(RxRing& ring, std::uint64_t next, std::size_t limit) {
  ring.for_each(
      [&next](const Packet& packet) {
        const auto number = number_of(packet);
        EXPECT_EQ(number, next) << "a packet is damaged, lost, doubled or out of order";
        if (number != next) throw std::runtime_error("the sequence is broken");
        ++next;
      },
      limit);
  return next;
}

bool send_all(Port& port, std::uint64_t end) {
  TxRing& tx = port.tx_rings()[0];
  for (std::uint64_t next = 0; next != end;) {
    const std::uint64_t before = next;
    next = send_numbers(tx, next, end);
    must(port.sync_tx());
    if (next != before) continue;
    must(tx.want(std::min(4U, tx.num_slots() - 1)));
    if (must(port.wait(Direction::tx, patience)).empty()) return false;
  }
  return must(port.drain(patience)) == 0;
}

bool receive_all(Port& port, std::uint64_t end) {
  RxRing& rx = port.rx_rings()[0];
  for (std::uint64_t next = 0; next != end;) {
    if (must(port.wait(Direction::rx, patience)).empty()) return false;
    next = take_numbers(rx, next);
  }
  must(port.sync_rx());
  return true;
}

std::size_t open_files() {
  return static_cast<std::size_t>(std::distance(
      std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()));
}

}  // namespace netmap::embedded
