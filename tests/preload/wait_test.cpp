// SPDX-License-Identifier: BSD-2-Clause
//
// Waiting, by every call that waits.
#include "preload/program.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

namespace netmap::preload {
namespace {

constexpr int long_enough = 60'000;  // milliseconds
constexpr int at_once = 0;

class Waits : public Program {
 protected:
  NetmapFile left_{"x{1"};
  NetmapFile right_{"x}1"};
  /// A pipe of the kernel's.
  std::array<int, 2> pipe_ = [] {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::runtime_error("pipe");
    return ends;
  }();

  ~Waits() override {
    for (const int end : pipe_) ::close(end);
  }
  void send(std::uint32_t number) const {
    ASSERT_EQ(left_.put(number, 1), 1U);
    ASSERT_EQ(left_.sync_tx(), 0);
  }
  /// Somebody who does something, be it before this thread sleeps or while it does.
  template <class Act>
  static std::jthread meanwhile(Act act) {
    return std::jthread(act);
  }
};

short poll_one(const NetmapFile& file, short events, int timeout) {
  pollfd polled{file.fd(), events, 0};
  const int found = ::poll(&polled, 1, timeout);
  EXPECT_EQ(found, polled.revents != 0 ? 1 : 0);
  return polled.revents;
}

TEST_F(Waits, PollSyncsBothWays) {
  EXPECT_EQ(poll_one(right_, POLLIN, at_once), 0);
  ASSERT_EQ(left_.put(0, 1), 1U);
  EXPECT_EQ(poll_one(left_, POLLIN, at_once), 0) << "but it sends";
  EXPECT_EQ(poll_one(right_, POLLIN | POLLRDNORM, at_once), POLLIN | POLLRDNORM);
  EXPECT_EQ(right_.take(0), 1U);
}

TEST_F(Waits, PollSendsNothingIfToldSo) {
  const NetmapFile quiet("y{1", abi::register_flags::no_tx_poll);
  const NetmapFile other("y}1");
  ASSERT_EQ(quiet.put(0, 1), 1U);
  EXPECT_EQ(poll_one(quiet, POLLIN, at_once), 0);
  EXPECT_EQ(poll_one(other, POLLIN, at_once), 0);
  EXPECT_EQ(poll_one(quiet, POLLOUT, at_once), POLLOUT);
  EXPECT_EQ(poll_one(other, POLLIN, at_once), POLLIN);
}

TEST_F(Waits, PollWakesForWhatComes) {
  const auto sender = meanwhile([this] { send(0); });
  EXPECT_EQ(poll_one(right_, POLLIN, long_enough), POLLIN);
  EXPECT_EQ(right_.take(0), 1U);
}

TEST_F(Waits, PollWakesForRoom) {
  EXPECT_EQ(left_.put(0), 15U);
  EXPECT_EQ(poll_one(left_, POLLOUT, at_once), 0);
  const auto receiver = meanwhile([this] {
    ASSERT_EQ(right_.sync_rx(), 0);
    EXPECT_EQ(right_.take(0), 15U);
    ASSERT_EQ(right_.sync_rx(), 0);
  });
  EXPECT_EQ(poll_one(left_, POLLOUT, long_enough), POLLOUT);
}

TEST_F(Waits, PollIsForOtherDescriptorsToo) {
  std::array<pollfd, 4> polled{
      {{right_.fd(), POLLIN, 0}, {pipe_[0], POLLIN, 0}, {-1, POLLIN, 0}, {pipe_[1], POLLOUT, 0}}};
  EXPECT_EQ(::poll(polled.data(), 2, at_once), 0);
  const auto writer = meanwhile([this] { EXPECT_EQ(::write(pipe_[1], "x", 1), 1); });
  EXPECT_EQ(::poll(polled.data(), 3, long_enough), 1);
  EXPECT_EQ(polled[1].revents, POLLIN);
  EXPECT_EQ(polled[0].revents, 0);
  send(0);
  EXPECT_EQ(::poll(polled.data(), 4, long_enough), 3);
  EXPECT_EQ(polled[0].revents, POLLIN);
  EXPECT_EQ(polled[3].revents, POLLOUT);
}

TEST_F(Waits, PollEndsBySignals) {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  struct sigaction before{};
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  sigset_t blocked;
  sigset_t open;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR1);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &blocked, &open), 0);
  ::raise(SIGUSR1);
  pollfd polled{right_.fd(), POLLIN, 0};
  EXPECT_EQ(::ppoll(&polled, 1, nullptr, &open), -1);
  EXPECT_EQ(errno, EINTR);
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &open, nullptr), 0);
  ASSERT_EQ(::sigaction(SIGUSR1, &before, nullptr), 0);
}

/// Whoever wakes first does not use up the wake-up of the other.
TEST_F(Waits, PollOfTwoThreadsWakesBoth) {
  for (std::uint32_t turn = 0; turn != 20; ++turn) {
    std::array<short, 2> came{};
    {
      const auto wait = [this](short& found) {
        return std::jthread([&found, this] { found = poll_one(right_, POLLIN, long_enough); });
      };
      const auto first = wait(came[0]);
      const auto second = wait(came[1]);
      send(turn);
    }
    EXPECT_EQ(came[0], POLLIN);
    EXPECT_EQ(came[1], POLLIN);
    EXPECT_EQ(right_.take(turn), turn + 1);
    ASSERT_EQ(right_.sync_rx(), 0);
    ASSERT_EQ(left_.sync_tx(), 0);
  }
}

TEST_F(Waits, PollEndsWithItsThread) {
  pthread_t waiting{};
  const auto wait = [](void* file) -> void* {
    pollfd polled{static_cast<const NetmapFile*>(file)->fd(), POLLIN, 0};
    for (;;) (void)::poll(&polled, 1, -1);
    return nullptr;
  };
  ASSERT_EQ(::pthread_create(&waiting, nullptr, wait, &right_), 0);
  ASSERT_EQ(::pthread_cancel(waiting), 0);
  ASSERT_EQ(::pthread_join(waiting, nullptr), 0);
  const auto sender = meanwhile([this] { send(0); });
  EXPECT_EQ(poll_one(right_, POLLIN, long_enough), POLLIN);
}

TEST_F(Waits, SelectTellsInSets) {
  fd_set read;
  fd_set write;
  const auto select = [&](timeval timeout) {
    FD_ZERO(&read);
    FD_ZERO(&write);
    FD_SET(right_.fd(), &read);
    FD_SET(pipe_[0], &read);
    FD_SET(left_.fd(), &write);
    return ::select(FD_SETSIZE, &read, &write, nullptr, &timeout);
  };
  EXPECT_EQ(left_.put(0), 15U);
  EXPECT_EQ(left_.sync_tx(), 0);
  EXPECT_EQ(select({60, 0}), 1);
  EXPECT_TRUE(FD_ISSET(right_.fd(), &read));
  EXPECT_FALSE(FD_ISSET(pipe_[0], &read));
  EXPECT_FALSE(FD_ISSET(left_.fd(), &write));
  EXPECT_EQ(right_.take(0), 15U);
  EXPECT_EQ(right_.sync_rx(), 0);
  EXPECT_EQ(select({0, 0}), 1);
  EXPECT_FALSE(FD_ISSET(right_.fd(), &read));
  EXPECT_TRUE(FD_ISSET(left_.fd(), &write));
  EXPECT_EQ(left_.put(15), 15U);
  EXPECT_EQ(left_.sync_tx(), 0);
  EXPECT_EQ(right_.sync_rx(), 0);
  EXPECT_EQ(right_.take(15), 30U);
  EXPECT_EQ(left_.put(30), 0U) << "it is full, and nobody takes anything";
  FD_ZERO(&write);
  FD_SET(left_.fd(), &write);
  const timespec no_time{};
  EXPECT_EQ(::pselect(left_.fd() + 1, nullptr, &write, nullptr, &no_time, nullptr), 0);
}

// ---- epoll(7) -----------------------------------------------------------------------------------

class Epoll : public Waits {
 protected:
  int set_ = ::epoll_create1(0);

  ~Epoll() override { ::close(set_); }
  [[nodiscard]] int control(int operation, int fd, std::uint32_t events,
                            std::uint64_t data = 0) const {
    epoll_event event{events, {.u64 = data}};
    return ::epoll_ctl(set_, operation, fd, &event) == 0 ? 0 : errno;
  }
  /// What came, with which data.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint32_t>> wait(int timeout) const {
    std::array<epoll_event, 8> events{};
    const int count = ::epoll_wait(set_, events.data(), events.size(), timeout);
    std::vector<std::pair<std::uint64_t, std::uint32_t>> came;
    for (int i = 0; i < count; ++i) {
      const epoll_event event = events[static_cast<std::size_t>(i)];
      came.emplace_back(std::uint64_t{event.data.u64}, std::uint32_t{event.events});
    }
    return came;
  }
  using Came = std::vector<std::pair<std::uint64_t, std::uint32_t>>;
};

TEST_F(Epoll, TellsOfNetmapAndOthers) {
  ASSERT_EQ(control(EPOLL_CTL_ADD, pipe_[0], EPOLLIN, 1), 0);
  ASSERT_EQ(control(EPOLL_CTL_ADD, right_.fd(), EPOLLIN, 2), 0);
  EXPECT_EQ(wait(at_once), Came());
  {
    const auto sender = meanwhile([this] { send(0); });
    EXPECT_EQ(wait(long_enough), Came({{2, EPOLLIN}}));
  }
  EXPECT_EQ(wait(at_once), Came({{2, EPOLLIN}})) << "as long as it is there";
  EXPECT_EQ(::write(pipe_[1], "x", 1), 1);
  EXPECT_EQ(wait(at_once), Came({{2, EPOLLIN}, {1, EPOLLIN}}));
  EXPECT_EQ(right_.take(0), 1U);
  EXPECT_EQ(wait(at_once), Came({{1, EPOLLIN}}));
}

TEST_F(Epoll, IsToldOnceWhatIsInIt) {
  ASSERT_EQ(control(EPOLL_CTL_ADD, right_.fd(), EPOLLIN), 0);
  EXPECT_EQ(control(EPOLL_CTL_ADD, right_.fd(), EPOLLIN), EEXIST);
  EXPECT_EQ(control(EPOLL_CTL_MOD, left_.fd(), EPOLLIN), ENOENT);
  EXPECT_EQ(control(EPOLL_CTL_DEL, left_.fd(), 0), ENOENT);
  ASSERT_EQ(control(EPOLL_CTL_DEL, right_.fd(), 0), 0);
  send(0);
  EXPECT_EQ(wait(at_once), Came());
}

TEST_F(Epoll, TellsOfEdgesAndOnce) {
  ASSERT_EQ(control(EPOLL_CTL_ADD, right_.fd(), EPOLLIN | EPOLLET), 0);
  send(0);
  EXPECT_EQ(wait(at_once), Came({{0, EPOLLIN}}));
  EXPECT_EQ(wait(at_once), Came());
  EXPECT_EQ(right_.take(0), 1U);
  EXPECT_EQ(wait(at_once), Came());
  send(1);
  EXPECT_EQ(wait(long_enough), Came({{0, EPOLLIN}}));
  ASSERT_EQ(control(EPOLL_CTL_MOD, right_.fd(), EPOLLIN | EPOLLONESHOT), 0);
  EXPECT_EQ(wait(at_once), Came({{0, EPOLLIN}}));
  EXPECT_EQ(wait(at_once), Came());
}

/// Without looking in between.
TEST_F(Epoll, TellsOfEachEdge) {
  ASSERT_EQ(control(EPOLL_CTL_ADD, right_.fd(), EPOLLIN | EPOLLET), 0);
  for (std::uint32_t turn = 0; turn != 5; ++turn) {
    send(turn);
    EXPECT_EQ(wait(long_enough), Came({{0, EPOLLIN}}));
    EXPECT_EQ(right_.take(turn), turn + 1);
  }
}

TEST_F(Epoll, IsChangedWhileSomebodyWaits) {
  ASSERT_EQ(control(EPOLL_CTL_ADD, right_.fd(), EPOLLIN | EPOLLONESHOT), 0);
  send(0);
  EXPECT_EQ(wait(at_once), Came({{0, EPOLLIN}}));
  const auto other = meanwhile(
      [this] { EXPECT_EQ(control(EPOLL_CTL_MOD, right_.fd(), EPOLLIN | EPOLLONESHOT, 5), 0); });
  EXPECT_EQ(wait(long_enough), Came({{5, EPOLLIN}}));
}

TEST_F(Epoll, MustBeASet) {
  epoll_event event{};
  EXPECT_EQ(::epoll_ctl(pipe_[0], EPOLL_CTL_ADD, right_.fd(), &event), -1);
  EXPECT_EQ(errno, EINVAL);
}

TEST_F(Epoll, ForgetsWhatIsClosed) {
  ASSERT_EQ(control(EPOLL_CTL_ADD, right_.fd(), EPOLLIN), 0);
  send(0);
  right_.close();
  EXPECT_EQ(wait(at_once), Came());
}

}  // namespace
}  // namespace netmap::preload
