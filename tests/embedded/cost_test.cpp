// SPDX-License-Identifier: BSD-2-Clause
//
// What a sync costs in system calls, counted from outside.
#include "embedded/support.hpp"

#include <csignal>
#include <cstddef>

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace netmap::embedded {
namespace {

/// Another process that, once prepared, makes the same step again and again, each when told to.
class Stepping {
 public:
  template <std::invocable Prepare, class Step>
  Stepping(Prepare prepare, Step step)
      : process_([&] {
          if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) return false;
          auto state = prepare();
          for (pause();; step(state)) pause();
          return true;
        }) {
    (void)run_to_pause();
    pause_stops_ = run_to_pause();
  }

  /// The system calls that the next step makes.
  std::size_t count() { return (run_to_pause() - pause_stops_) / 2; }

 private:
  static void pause() { ::kill(::getpid(), SIGSTOP); }

  /// Yields how often a system call began or ended.
  std::size_t run_to_pause() {
    for (std::size_t stops = 0;; ++stops) {
      if (is_running_) ::ptrace(PTRACE_SYSCALL, process_.id(), nullptr, nullptr);
      is_running_ = true;
      int status = 0;
      if (::waitpid(process_.id(), &status, 0) < 0 || !WIFSTOPPED(status)) {
        throw std::runtime_error("the other process has ended");
      }
      if (WSTOPSIG(status) == SIGSTOP) return stops;
    }
  }

  Process process_;
  bool is_running_ = false;
  std::size_t pause_stops_ = 0;  ///< of a step that does nothing
};

using Costs = InDomain;

void take_all(Port& port) {
  must(port.sync_rx());
  port.rx_rings()[0].for_each([](const Packet&) {});
  must(port.sync_rx());
}

TEST_F(Costs, CountsSystemCalls) {
  Stepping two([] { return 0; }, [](int&) { ::syscall(SYS_getppid), ::syscall(SYS_getppid); });
  EXPECT_EQ(two.count(), 2U);
  EXPECT_EQ(two.count(), 2U);
}

TEST_F(Costs, OfSendingAreOneCallIfTheReceiverSleepsAndNoneIfNot) {
  auto receiver = open("x}1");
  ASSERT_TRUE(must(receiver.arm(Direction::rx)));
  Stepping sender([&] { return open("x{1"); }, [](Port& port) { send_one(port); });
  (void)sender.count();  // opens the receiver's bell
  EXPECT_EQ(sender.count(), 0U) << "it has been rung already";
  for (int round = 0; round != 3; ++round) {
    receiver.disarm(Direction::rx);
    take_all(receiver);
    EXPECT_EQ(sender.count(), 0U);
    take_all(receiver);
    ASSERT_TRUE(must(receiver.arm(Direction::rx)));
    EXPECT_EQ(sender.count(), 1U);
    EXPECT_EQ(sender.count(), 0U);
  }
}

TEST_F(Costs, OfReceivingAreOneCallIfTheSenderSleepsAndNoneIfNot) {
  auto sender = open("x{1", {.conf = {.tx_slots = 8}});
  Stepping receiver([&] { return open("x}1"); }, take_all);
  const auto fill = [&sender] {
    while (send_number(sender.tx_rings()[0], 0)) must(sender.sync_tx());
  };
  for (int round = 0; round != 4; ++round) {
    do fill();
    while (!must(sender.arm(Direction::tx)));  // full as far as the sender knew
    const std::size_t calls = receiver.count();
    if (round != 0) {  // which opens the sender's bell
      EXPECT_EQ(calls, 1U);
    }
    sender.disarm(Direction::tx);
    fill();
    EXPECT_EQ(receiver.count(), 0U);
    EXPECT_EQ(receiver.count(), 0U) << "there was nothing to take";
  }
}

}  // namespace
}  // namespace netmap::embedded
