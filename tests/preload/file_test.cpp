// SPDX-License-Identifier: BSD-2-Clause
//
// What a descriptor of /dev/netmap can be asked. That each request is answered as the module
// answers it is what the conformance cases of the kernel's device say, which run with the shim,
// too.
#include "preload/program.hpp"

#include <cerrno>

#include <poll.h>

namespace netmap::preload {
namespace {

class OpenFiles : public Program {};

TEST_F(OpenFiles, ComeOfEveryOpen) {
  constexpr int opened = 4;
  std::vector<int> free;
  for (int i = 0; i != opened; ++i) free.push_back(::dup(STDIN_FILENO));
  const int lowest = free.back();  // that as many descriptors need
  for (const int fd : free) ::close(fd);
  for (const int fd :
       {::open("/dev/netmap", O_RDWR), ::open64("/dev/netmap", O_RDWR),
        ::openat(AT_FDCWD, "/dev/netmap", O_RDWR), ::openat64(AT_FDCWD, "/dev/netmap", O_RDWR)}) {
    ASSERT_GE(fd, 0);
    EXPECT_LE(fd, lowest) << "the device's own are out of the way";
    NetmapFile file(fd);
    EXPECT_EQ(file.regist("x{1"), 0);
    EXPECT_EQ(file.map(), 0);
  }
}

TEST_F(OpenFiles, HaveAName) {
  int (*volatile const open)(const char*, int, ...) = ::open;  // of which nobody says "not null"
  EXPECT_EQ(open(nullptr, O_RDWR), -1);
  EXPECT_EQ(errno, EFAULT);
}

TEST_F(OpenFiles, AreForReadingAndWriting) {
  const NetmapFile left("x{1");
  EXPECT_EQ(::fcntl(left.fd(), F_GETFL) & O_ACCMODE, O_RDWR);
  EXPECT_EQ(::fcntl(left.fd(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(::fcntl(left.fd(), F_GETFD), FD_CLOEXEC);
  NetmapFile kept(::open("/dev/netmap", O_RDWR));
  EXPECT_EQ(::fcntl(kept.fd(), F_GETFD), 0);
  ASSERT_EQ(kept.regist("x}1"), 0);
  EXPECT_EQ(::fcntl(kept.fd(), F_GETFD), 0);
}

TEST_F(OpenFiles, ThatAreNotRegisteredCanDoNothing) {
  const NetmapFile file;
  EXPECT_EQ(file.sync_tx(), -1);
  EXPECT_EQ(errno, ENXIO);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file.fd(), 0), MAP_FAILED);
  EXPECT_EQ(errno, EINVAL);
  pollfd polled{file.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&polled, 1, 0), 1);
  EXPECT_EQ(polled.revents, POLLERR);
}

TEST_F(OpenFiles, RefuseWhatIsNoRequest) {
  const NetmapFile file;
  EXPECT_EQ(::ioctl(file.fd(), abi::ioctl_number::ctrl, 16), -1);
  EXPECT_EQ(errno, EFAULT);
  abi::nm_ifreq config{};
  EXPECT_EQ(::ioctl(file.fd(), abi::ioctl_number::config, &config), -1);
  EXPECT_EQ(errno, EINVAL);
}

TEST_F(OpenFiles, MapNoMoreThanThereIs) {
  const NetmapFile file("x{1");
  const std::size_t whole = file.body().nr_memsize;
  EXPECT_EQ(::mmap(nullptr, whole + 4096, PROT_READ, MAP_SHARED, file.fd(), 0), MAP_FAILED);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file.fd(), static_cast<off_t>(whole)),
            MAP_FAILED);
}

/// The library's own default is that a ring has one user.
TEST_F(OpenFiles, AreSharedUnlessToldOtherwise) {
  const NetmapFile first("x{1");
  NetmapFile second;
  EXPECT_EQ(second.regist("x{1"), 0);
  NetmapFile third;
  EXPECT_EQ(third.regist("x{1", abi::register_flags::exclusive), EBUSY);
  EXPECT_EQ(second.regist("x}1"), EBUSY) << "it is registered already";
}

TEST_F(OpenFiles, CarryPackets) {
  const NetmapFile left("x{1");
  const NetmapFile right("x}1");
  std::uint32_t sent = 0;
  std::uint32_t received = 0;
  for (int turn = 0; turn != 20; ++turn) {
    sent += left.put(sent);
    ASSERT_EQ(left.sync_tx(), 0);
    ASSERT_EQ(right.sync_rx(), 0);
    received = right.take(received);
    ASSERT_EQ(right.sync_rx(), 0);
    ASSERT_EQ(left.sync_tx(), 0);
  }
  EXPECT_EQ(received, sent);
  EXPECT_GT(sent, 200U);
}

TEST_F(OpenFiles, MeetPortsOfTheLibrary) {
  const NetmapFile left("x{1");
  auto right = test::must(netmap::open("x}1", {.device = {DeviceKind::embedded, domain()}}));
  ASSERT_EQ(left.put(7, 1), 1U);
  ASSERT_EQ(left.sync_tx(), 0);
  test::must(right.sync_rx());
  ASSERT_EQ(right.rx_rings()[0].slots().size(), 1U);
  EXPECT_EQ(right.rx_rings()[0].slots().front().bytes()[0], std::byte{7});
}

TEST_F(OpenFiles, NeedADomain) {
  ::setenv("NETMAP_DOMAIN", "/dev/shm/netmapxx-test-none/there", 1);
  testing::internal::CaptureStderr();
  EXPECT_EQ(::open("/dev/netmap", O_RDWR), -1);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(
      testing::internal::GetCapturedStderr().find(
          "netmapxx: /dev/netmap: cannot make the domain '/dev/shm/netmapxx-test-none/there'"),
      0U);
}

}  // namespace
}  // namespace netmap::preload
