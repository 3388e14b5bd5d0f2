// SPDX-License-Identifier: BSD-2-Clause
//
// No wake-up is lost between threads, or between processes: round trips over a pipe, and, if
// NETMAP_DEVICE is the kernel's, over a VALE switch and the interfaces of NETMAP_TEST_VETH.
// NETMAP_ROUNDS says how many.
#include "asio/places.hpp"
#include "asio/round_trips.hpp"

#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace netmap::async_test {
namespace {

using test::Random;

/// One end, in an event loop of its own.
struct Seat {
  net::io_context context;
  std::optional<AsyncPort> port;

  Seat(const std::string& name, const PortOptions& options)
      : port(must(AsyncPort::open(context.get_executor(), name, options))) {}
  /// Returns when `side` is over and the port closed, which sends what faults still hold back.
  template <class Side>
  void run(Side side, std::uint64_t seed) {
    auto ended = net::co_spawn(context, side(*port, rounds(), Random(seed)), net::use_future);
    context.run();
    ended.get();
    port.reset();
  }
};

/// A pause between look and wait, whenever the hook is there.
class PauseBeforeWait {
 public:
  PauseBeforeWait() {
#if NETMAP_CHECKED
    before_wait = [] {
      thread_local Random random(17);
      dawdle(random);
    };
#endif
  }
  PauseBeforeWait(const PauseBeforeWait&) = delete;
  PauseBeforeWait& operator=(const PauseBeforeWait&) = delete;
  ~PauseBeforeWait() {
#if NETMAP_CHECKED
    before_wait = [] {};
#endif
  }
};

class WakeUps : public OnPipe, public testing::WithParamInterface<Place> {
 protected:
  [[nodiscard]] PortOptions options() const {
    PortOptions with_faults = OnPipe::options();
    with_faults.faults = GetParam().faults;
    return with_faults;
  }

  const PauseBeforeWait pauses_;
};
INSTANTIATE_TEST_SUITE_P(Over, WakeUps, testing::ValuesIn(places()),
                         testing::PrintToStringParamName());

TEST_P(WakeUps, BetweenThreads) {
  Seat left(GetParam().left, options());
  Seat right(GetParam().right, options());
  std::thread other([&] { right.run(pong, 1); });
  left.run(ping, 2);
  other.join();
}

TEST_P(WakeUps, BetweenProcesses) {
  std::array<int, 2> ready{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(3600);
    Seat right(GetParam().right, options());
    if (::write(ready[1], "r", 1) != 1) std::_Exit(1);
    right.run(pong, 1);
    std::_Exit(0);
  }
  ::close(ready[1]);
  Seat left(GetParam().left, options());
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::close(ready[0]);
  left.run(ping, 2);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace netmap::async_test
