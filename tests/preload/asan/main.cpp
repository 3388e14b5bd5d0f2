// SPDX-License-Identifier: BSD-2-Clause
//
// A program for netmap that is built with the address sanitizer: that the shim comes before that,
// and brings a library later, disturbs neither its checks nor the search for leaks at its end.
#include <netmap/abi.hpp>

#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace netmap;

int main() {
  const int fd = ::open(abi::device_path, O_RDWR);
  abi::nmreq_register body{};
  body.nr_mode = abi::mode::all_nic;
  abi::nmreq_header header{};
  header.nr_version = abi::version::current;
  header.nr_reqtype = abi::request::port_register;
  std::strcpy(header.nr_name, "x{1");
  header.nr_body = reinterpret_cast<std::uintptr_t>(&body);
  if (::ioctl(fd, abi::ioctl_number::ctrl, &header) != 0) return 1;
  void* const memory = ::mmap(nullptr, body.nr_memsize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return 2;
  pollfd polled{fd, POLLOUT, 0};
  if (::poll(&polled, 1, 0) != 1) return 3;
  return ::munmap(memory, body.nr_memsize) == 0 && ::close(fd) == 0 ? 0 : 4;
}
