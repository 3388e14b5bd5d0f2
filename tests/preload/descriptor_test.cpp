// SPDX-License-Identifier: BSD-2-Clause
//
// Descriptors are copied, closed, inherited and sent, and a port is open as long as there is one.
#include "preload/program.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include <sys/socket.h>
#include <sys/uio.h>

namespace netmap::preload {
namespace {

class DescriptorsOf : public Program {
 protected:
  /// That the copy of a descriptor of `port` does what that does.
  static void expect_alive(NetmapFile& copy, const std::string& port) {
    EXPECT_EQ(copy.sync_tx(), 0) << std::strerror(errno);
    EXPECT_FALSE(is_free(port));
    copy.close();
    EXPECT_TRUE(is_free(port));
  }
};

TEST_F(DescriptorsOf, OnePortAreCopied) {
  constexpr int somewhere = 77;
  const auto copies = {+[](int fd) { return ::dup(fd); },
                       +[](int fd) { return ::dup2(fd, somewhere); },
                       +[](int fd) { return ::dup3(fd, somewhere, O_CLOEXEC); },
                       +[](int fd) { return ::fcntl(fd, F_DUPFD, somewhere); },
                       +[](int fd) { return ::fcntl(fd, F_DUPFD_CLOEXEC, somewhere); }};
  for (const auto copy : copies) {
    NetmapFile file("x{1");
    NetmapFile copied(copy(file.fd()));
    file.close();
    expect_alive(copied, "x{1");
  }
}

TEST_F(DescriptorsOf, FilesThatAreCopiedBeforeAreRegisteredAllTheSame) {
  NetmapFile file;
  NetmapFile copied(::dup(file.fd()));
  ASSERT_EQ(file.regist("x{1"), 0);
  file.close();
  expect_alive(copied, "x{1");
}

TEST_F(DescriptorsOf, PortsAreReplaced) {
  const NetmapFile file("x{1");
  ASSERT_EQ(::dup2(STDIN_FILENO, file.fd()), file.fd());
  EXPECT_TRUE(is_free("x{1"));
  EXPECT_EQ(file.sync_tx(), -1);
}

/// As daemons do; what the device needs is none of theirs.
TEST_F(DescriptorsOf, AllOthersMayBeClosed) {
  const NetmapFile left("x{1");
  const NetmapFile right("x}1");
  for (int fd = 3; fd != 5000; ++fd) {
    if (fd != left.fd() && fd != right.fd()) ::close(fd);
  }
  ::close_range(static_cast<unsigned>(std::max(left.fd(), right.fd())) + 1, ~0U, 0);
  ASSERT_EQ(left.put(0, 1), 1U);
  ASSERT_EQ(left.sync_tx(), 0);
  ASSERT_EQ(right.sync_rx(), 0);
  EXPECT_EQ(right.take(0), 1U);
  EXPECT_TRUE(is_free("y{1")) << "and others can be opened";
}

TEST_F(DescriptorsOf, PortsAreClosedWithAllOthers) {
  const NetmapFile file("x{1");
  ::closefrom(3);
  EXPECT_TRUE(is_free("x{1"));
}

TEST_F(DescriptorsOf, TheDeviceCannotBeHad) {
  const NetmapFile file("x{1");
  const auto is_its_own = [&](int fd) {
    std::error_code none;
    const auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), none);
    return fd != file.fd() && path.string().starts_with(domain() + '/');
  };
  int its_own = 0;
  while (its_own != 5000 && !is_its_own(its_own)) ++its_own;
  ASSERT_TRUE(is_its_own(its_own));
  EXPECT_EQ(::close(its_own), -1);
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(::dup2(STDIN_FILENO, its_own), -1);
  EXPECT_EQ(errno, EBUSY);
  EXPECT_EQ(file.sync_tx(), 0);
}

// ---- Other processes ----------------------------------------------------------------------------

TEST_F(DescriptorsOf, AParentAreItsChildrens) {
  NetmapFile left("x{1");
  const NetmapFile right("x}1");
  Shared<std::atomic<bool>> is_alone;
  Process child([&] {
    if (!await([&] { return is_alone->load(); })) return false;
    return left.put(0, 1) == 1 && left.sync_tx() == 0;
  });
  left.close();
  EXPECT_FALSE(is_free("x{1")) << "the child has it";
  *is_alone = true;
  EXPECT_TRUE(child.succeeded());
  ASSERT_EQ(right.sync_rx(), 0);
  EXPECT_EQ(right.take(0), 1U);
  EXPECT_TRUE(is_free("x{1"));
}

TEST_F(DescriptorsOf, AParentStayWhenAChildClosesItsOwn) {
  const NetmapFile file("x{1");
  EXPECT_TRUE(Process([&] { return ::close(file.fd()) == 0; }).succeeded());
  EXPECT_FALSE(is_free("x{1"));
  EXPECT_EQ(file.sync_tx(), 0);
}

/// Which has its parent's memory.
TEST_F(DescriptorsOf, AParentStayWhenAChildOfVforkClosesItsOwn) {
  const NetmapFile file("x{1");
  const ::pid_t child = ::vfork();
  if (child == 0) {
    ::close(file.fd());
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(is_free("x{1"));
  EXPECT_EQ(file.sync_tx(), 0);
}

TEST_F(DescriptorsOf, AProgramAreThoseOfTheNext) {
  NetmapFile left(::open("/dev/netmap", O_RDWR));
  ASSERT_EQ(left.regist("x{1"), 0);
  const NetmapFile right("x}1");
  EXPECT_EQ(run(sender(left)), 0);
  ASSERT_EQ(right.sync_rx(), 0);
  EXPECT_EQ(right.take(0), 1U);
  NetmapFile closed("y{1");
  EXPECT_NE(run(sender(closed)), 0) << "closed by exec";
}

/// A message of a byte that has room for a descriptor. unix(7).
struct Envelope {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};

  Envelope() {
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;
};

void send_descriptor(int socket, int fd) {
  Envelope envelope;
  cmsghdr* const part = CMSG_FIRSTHDR(&envelope.message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(part), &fd, sizeof fd);
  ASSERT_EQ(::sendmsg(socket, &envelope.message, 0), 1);
}

int receive_descriptor(int socket) {
  Envelope envelope;
  int fd = -1;
  if (::recvmsg(socket, &envelope.message, 0) == 1) {
    std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&envelope.message)), sizeof fd);
  }
  return fd;
}

/// Each port the memory of which is shared, and how it is there: a pipe's, and a switch's.
class SentDescriptorsOf : public DescriptorsOf, public testing::WithParamInterface<const char*> {};

TEST_P(SentDescriptorsOf, AProcessAreAnothers) {
  std::array<int, 2> sockets{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()), 0);
  Shared<abi::nmreq_register> body;
  Process receiver([&] {  // before anything is open here
    NetmapFile file(receive_descriptor(sockets[1]));
    file.know(*body);
    if (file.map() != 0 || file.sync_rx() != 0) return false;
    EXPECT_EQ(file.take(0), 3U);
    return file.sync_rx() == 0;
  });
  const bool is_pipe = *GetParam() == 'x';
  const NetmapFile left(is_pipe ? "x{1" : "vale0:1");
  NetmapFile right(GetParam());
  *body = right.body();
  ASSERT_EQ(left.put(0, 3), 3U);
  ASSERT_EQ(left.sync_tx(), 0);
  send_descriptor(sockets[0], right.fd());
  EXPECT_TRUE(receiver.succeeded());
  ASSERT_EQ(right.sync_rx(), 0);
  EXPECT_EQ(right.rx().head, 3U) << "the process that sent it goes on where the other was";
  right.close();
  EXPECT_TRUE(is_free(GetParam()));
  for (const int socket : sockets) ::close(socket);
}

INSTANTIATE_TEST_SUITE_P(, SentDescriptorsOf, testing::Values("x}1", "vale0:2"),
                         [](const auto& info) { return *info.param == 'x' ? "Pipe" : "Vale"; });

TEST_F(DescriptorsOf, TheDeadAreGivenBack) {
  Shared<std::atomic<bool>> is_open;
  Process victim([&] {
    const NetmapFile file("x{1", abi::register_flags::exclusive);
    *is_open = true;
    for (;;) (void)file.sync_tx();
    return false;
  });
  ASSERT_TRUE(await([&] { return is_open->load(); }));
  EXPECT_FALSE(is_free("x{1"));
  victim.kill();
  EXPECT_TRUE(is_free("x{1"));
}

/// Children come while threads are in the middle of everything.
TEST_F(DescriptorsOf, ThreadsAndForksGoTogether) {
  std::atomic<bool> is_over = false;
  {
    const auto work = [&is_over](const std::string& port) {
      return std::jthread([&is_over, port] {
        while (!is_over) {
          const NetmapFile file(port);
          EXPECT_EQ(file.sync_tx(), 0);
        }
      });
    };
    const auto first = work("x{1");
    const auto second = work("y{1");
    for (int turn = 0; turn != 20; ++turn) {
      EXPECT_TRUE(Process([turn] {
                    const NetmapFile own("z{" + std::to_string(turn));
                    return own.sync_tx() == 0;
                  }).succeeded());
    }
    is_over = true;
  }
  EXPECT_TRUE(is_free("x{1"));
}

// ---- Programs that have nothing to do with netmap -----------------------------------------------

TEST(OtherPrograms, LoadNothingMore) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  ASSERT_EQ(
      run({"/bin/sh", "-c",
           "grep -o 'libnetmapxx[-a-z]*' /proc/self/maps | sort -u >&" + std::to_string(pipe[1])}),
      0);
  std::array<char, 200> text{};
  ASSERT_GT(::read(pipe[0], text.data(), text.size() - 1), 0);
  EXPECT_STREQ(text.data(), "libnetmapxx-preload\n");
  for (const int end : pipe) ::close(end);
}

}  // namespace
}  // namespace netmap::preload
