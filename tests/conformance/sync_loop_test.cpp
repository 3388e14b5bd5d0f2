// SPDX-License-Identifier: BSD-2-Clause
//
// Ports that a loop syncs in a thread of its own.
#include "conformance/device.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <span>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace netmap::conformance {
namespace {

namespace req = abi::request;

/// A thread in SyncLoop::run(), as long as this lives.
class Running {
 public:
  explicit Running(SyncLoop& loop)
      : loop_(&loop), thread_([this] { result_ = loop_->run(std::chrono::microseconds(50)); }) {}
  Running(SyncLoop& loop, std::span<const abi::EventFds> events, std::uint32_t mode = 0)
      : loop_(&loop), thread_([this, events, mode] {
          result_ = loop_->run(events, mode, std::chrono::microseconds(50));
        }) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    must(loop_->stop());
    thread_.join();
    must(result_);
  }

 private:
  SyncLoop* loop_;
  Result<> result_;
  std::thread thread_;
};

/// An eventfd.
class Signal {
 public:
  Signal() = default;
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal() { ::close(fd_); }

  [[nodiscard]] int fd() const { return fd_; }
  void give() const { ASSERT_EQ(::eventfd_write(fd_, 1), 0); }
  /// Waits until it is given, and uses that up.
  void take() const {
    pollfd wait{fd_, POLLIN, 0};
    const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
    ASSERT_EQ(::poll(&wait, 1, static_cast<int>(longest)), 1) << "nothing came";
    eventfd_t count = 0;
    ASSERT_EQ(::eventfd_read(fd_, &count), 0);
  }

 private:
  int fd_ = ::eventfd(0, EFD_CLOEXEC);
};

/// Those of a port with one ring in each direction.
struct Signals {
  Signal tx_kick;
  Signal tx_interrupt;
  Signal rx_kick;
  Signal rx_interrupt;

  [[nodiscard]] std::array<abi::EventFds, 2> fds() const {
    return {{{.ioeventfd = tx_kick.fd(), .irqfd = tx_interrupt.fd()},
             {.ioeventfd = rx_kick.fd(), .irqfd = rx_interrupt.fd()}}};
  }
};

class Loops : public OnDevice {
 protected:
  /// Sends `count` packets, as far as there is room again, and receives them in order.
  static void transfer(Port& from, Port& to, std::uint32_t count) {
    std::uint32_t sent = 0;
    std::uint32_t received = 0;
    while (received != count) {
      sent += send_numbered(from.tx_rings()[0], sent, count - sent);
      must(from.sync_tx());
      const bool is_under_way = sent != received;  // else the loop is yet to say that there is room
      const auto ready =
          is_under_way ? to.wait(Direction::rx, patience) : from.wait(Direction::tx, patience);
      if (must(ready).empty()) throw std::runtime_error("nothing came");
      if (!is_under_way) continue;
      const auto taken = take_numbers(to.rx_rings()[0]);
      EXPECT_EQ(taken, numbers(received, static_cast<std::uint32_t>(taken.size())));
      received += static_cast<std::uint32_t>(taken.size());
      must(to.sync_rx());
    }
  }
};
ON_EVERY_BARE_DEVICE(Loops);

TEST_P(Loops, SendAndReceive) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 64, .rx_slots = 64}});
  SyncLoop loop = must(SyncLoop::attach(master));
  const Running running(loop);
  transfer(master, slave, 1000);
  transfer(slave, master, 1000);
  EXPECT_EQ(master.stats().tx.packets, 1000U);
  EXPECT_EQ(master.stats().rx.packets, 1000U);
}

TEST_P(Loops, OfBothEndsMeet) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 64, .rx_slots = 64}});
  SyncLoop loop = must(SyncLoop::attach(master));
  SyncLoop other = must(SyncLoop::attach(slave));
  const Running running(loop);
  const Running running_too(other);
  transfer(master, slave, 1000);
  transfer(slave, master, 1000);
}

/// As many as one ring holds: a switch drops what finds no room.
TEST_P(Loops, OfSwitchesPortsSendAndReceive) {
  Port a = open("vale" + base() + ":a");
  Port b = open("vale" + base() + ":b");
  SyncLoop loop = must(SyncLoop::attach(a));
  const Running running(loop);
  transfer(a, b, 500);
  transfer(b, a, 500);
}

TEST_P(Loops, OfSwitchesPortsAreWatched) {
  Port a = open("vale" + base() + ":a");
  Port b = open("vale" + base() + ":b");
  SyncLoop loop = must(SyncLoop::attach(a));
  Port sent = open("vale" + base() + ":a/t");
  const Running running(loop);
  transfer(a, b, 10);
  EXPECT_EQ(sync_and_take(sent), numbers(0, 10));
}

TEST_P(Loops, OfSwitchesPortsSleepUntilTheyAreKicked) {
  Port a = open("vale" + base() + ":a");
  Port b = open("vale" + base() + ":b");
  SyncLoop loop = must(SyncLoop::attach(a));
  const Signals signals;
  const auto fds = signals.fds();
  const Running running(loop, fds);
  send_and_sync(a, 0, 5);
  signals.tx_kick.give();
  ASSERT_FALSE(must(b.wait(Direction::rx, patience)).empty());
  EXPECT_EQ(take_numbers(b.rx_rings()[0]), numbers(0, 5));
  send_and_sync(b, 0, 5);
  signals.rx_interrupt.take();
  ASSERT_FALSE(must(a.wait(Direction::rx, patience)).empty());
  EXPECT_EQ(take_numbers(a.rx_rings()[0]), numbers(0, 5));
}

TEST_P(Loops, AreWatched) {
  auto [master, slave] = open_pipe();
  SyncLoop loop = must(SyncLoop::attach(master));
  Port sent = open(base() + "{1/t");
  Port received = open(base() + "{1/r");
  Port both = open(base() + "{1/z");
  const Running running(loop);
  transfer(master, slave, 10);
  EXPECT_EQ(sync_and_take(sent), numbers(0, 10));
  transfer(slave, master, 10);
  EXPECT_EQ(sync_and_take(received), numbers(0, 10));
  for (std::size_t seen = 0; seen != 20; must(both.sync_rx())) {
    ASSERT_FALSE(must(both.wait(Direction::rx, patience)).empty());
    seen += take_numbers(both.rx_rings()[0]).size();
  }
}

TEST_P(Loops, MoveNothingUnlessTheyRun) {
  auto [master, slave] = open_pipe();
  SyncLoop loop = must(SyncLoop::attach(master));
  send_and_sync(master, 0, 1);
  EXPECT_TRUE(sync_and_take(slave).empty());
  const Running running(loop);
  ASSERT_FALSE(must(slave.wait(Direction::rx, patience)).empty());
  EXPECT_EQ(take_numbers(slave.rx_rings()[0]), numbers(0, 1));
}

TEST_P(Loops, CarryBuffersThatWereSwapped) {
  auto [master, slave] = open_pipe();
  auto out = open(base() + "{2");
  auto sink = open(base() + "}2");
  SyncLoop loop = must(SyncLoop::attach(slave));
  const Running running(loop);
  for (std::uint32_t round = 0; round != 3; ++round) {
    send_and_sync(master, round * 600, 600);
    std::size_t forwarded = 0;
    while (forwarded != 600) {
      ASSERT_FALSE(must(slave.wait(Direction::rx, patience)).empty());
      const Forwarded done = must(forward(slave.rx_rings()[0], out.tx_rings()[0]));
      EXPECT_TRUE(done.zero_copy);
      forwarded += done.packets;
      must(slave.sync_rx());
    }
    must(out.sync_tx());
    EXPECT_EQ(sync_and_take(sink), numbers(round * 600, 600));
    must(sink.sync_rx());
    must(out.sync_tx());
    ASSERT_EQ(must(master.drain(patience)), 0U);
  }
  std::multiset<std::uint32_t> buffers;
  for (TxRing* ring : {&master.tx_rings()[0], &out.tx_rings()[0]}) {
    const abi::netmap_slot* slots = abi::slots_of(*ring->raw());
    for (std::uint32_t i = 0; i != ring->num_slots(); ++i) buffers.insert(slots[i].buf_idx);
  }
  EXPECT_EQ(std::set(buffers.begin(), buffers.end()).size(), buffers.size());
}

TEST_P(Loops, EndWhenStoppedAndCanGoOn) {
  auto [master, slave] = open_pipe();
  SyncLoop loop = must(SyncLoop::attach(master));
  for (int i = 0; i != 3; ++i) {
    const Running running(loop);
    transfer(master, slave, 10);
  }
  must(loop.stop());
  must(loop.run());  // the stop came first
}

TEST_P(Loops, AreOneAPort) {
  auto [master, slave] = open_pipe();
  SyncLoop loop = must(SyncLoop::attach(master));
  EXPECT_EQ(code_of(SyncLoop::attach(master)), std::errc::device_or_resource_busy);
  const Running running(loop);
  transfer(master, slave, 10);
  EXPECT_EQ(code_of(loop.run()), std::errc::device_or_resource_busy);
  EXPECT_EQ(code_of(loop.run(std::chrono::seconds(2))), std::errc::invalid_argument);
}

/// How often something is done that lasts three seconds where nobody is woken for it: so often that
/// the test would time out.
constexpr std::uint32_t often = 150;

/// The peer gives nothing back, so that it is not what wakes the loop.
TEST_P(Loops, ThatSleepAreWokenByAKick) {
  auto [master, slave] = open_pipe();
  RxRing& ring = slave.rx_rings()[0];
  SyncLoop loop = must(SyncLoop::attach(master));
  const Signals signals;
  const auto fds = signals.fds();
  const Running running(loop, fds);
  for (std::uint32_t i = 0; i != often; ++i) {
    send_and_sync(master, i, 1);
    signals.tx_kick.give();
    ASSERT_FALSE(must(slave.wait(Direction::rx, patience)).empty());
    ASSERT_EQ(ring.slots().size(), i + 1);
    must(ring.seen(ring.slots().end()));
  }
  EXPECT_EQ(take_numbers(ring), numbers(0, often));
}

TEST_P(Loops, ThatSleepAreWokenByThePeerAndInterruptTheProgram) {
  auto [master, slave] = open_pipe();
  SyncLoop loop = must(SyncLoop::attach(master));
  const Signals signals;
  const auto fds = signals.fds();
  const Running running(loop, fds);
  for (std::uint32_t i = 0; i != often; ++i) {
    send_and_sync(slave, i, 1);
    signals.rx_interrupt.take();
    ASSERT_EQ(sync_and_take(master), numbers(i, 1));
  }
}

TEST_P(Loops, ThatSleepTellOfRoom) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 16, .rx_slots = 16}});
  SyncLoop loop = must(SyncLoop::attach(master));
  const Signals signals;
  const auto fds = signals.fds();
  const Running running(loop, fds);
  for (std::uint32_t i = 0; i != often; ++i) {
    send_and_sync(master, i * 15, 15);
    signals.tx_kick.give();
    for (std::uint32_t taken = 0; taken != 15;) {
      ASSERT_FALSE(must(slave.wait(Direction::rx, patience)).empty());
      taken += static_cast<std::uint32_t>(take_numbers(slave.rx_rings()[0]).size());
    }
    must(slave.sync_rx());
    while (master.tx_rings()[0].slots().size() != 15) {
      signals.tx_interrupt.take();
      must(master.sync_tx());
    }
  }
}

TEST_P(Loops, WithoutAllKicksPauseButInterrupt) {
  auto [master, slave] = open_pipe();
  SyncLoop loop = must(SyncLoop::attach(master));
  const Signals signals;
  auto fds = signals.fds();
  fds[0].ioeventfd = -1;
  const Running running(loop, fds);
  transfer(master, slave, 1000);
  send_and_sync(slave, 0, 1);
  signals.rx_interrupt.take();
  EXPECT_EQ(sync_and_take(master), numbers(0, 1));
}

TEST_P(Loops, ThatAreDirectSyncWhatIsKicked) {
  auto [master, slave] = open_pipe();
  SyncLoop loop = must(SyncLoop::attach(master));
  const Signals signals;
  const auto fds = signals.fds();
  const Running running(loop, fds, abi::kloop_mode::direct_tx | abi::kloop_mode::direct_rx);
  send_and_sync(master, 0, 1);
  EXPECT_TRUE(must(slave.wait(Direction::rx, moment)).empty()) << "nobody kicked";
  for (std::uint32_t i = 0; i != often; ++i) {
    if (i != 0) send_and_sync(master, i, 1);
    signals.tx_kick.give();
    ASSERT_FALSE(must(slave.wait(Direction::rx, patience)).empty());
    ASSERT_EQ(take_numbers(slave.rx_rings()[0]), numbers(i, 1));
  }
  for (std::uint32_t i = 0; i != often; ++i) {
    send_and_sync(slave, i, 1);
    signals.rx_interrupt.take();
    ASSERT_TRUE(sync_and_take(master).empty()) << "nobody kicked";
    signals.rx_kick.give();
    ASSERT_FALSE(must(master.wait(Direction::rx, patience)).empty());
    ASSERT_EQ(take_numbers(master.rx_rings()[0]), numbers(i, 1));
    must(master.sync_rx());
  }
}

TEST_P(Loops, ThatAreDirectAndCannotBeKickedSyncNothing) {
  auto [master, slave] = open_pipe();
  SyncLoop loop = must(SyncLoop::attach(master));
  {
    const Running running(loop, {}, abi::kloop_mode::direct_tx | abi::kloop_mode::direct_rx);
    send_and_sync(master, 0, 1);
    EXPECT_TRUE(must(slave.wait(Direction::rx, moment)).empty());
  }
  const Running running(loop);
  ASSERT_FALSE(must(slave.wait(Direction::rx, patience)).empty());
}

TEST_P(Loops, TakeDescriptorsThatFitOnly) {
  auto [master, slave] = open_pipe();
  SyncLoop loop = must(SyncLoop::attach(master));
  const Signals signals;
  const auto fds = signals.fds();
  const auto refusal = [&](std::size_t change, int fd, std::uint32_t mode = 0) {
    auto changed = fds;
    (change % 2 == 0 ? changed[change / 2].ioeventfd : changed[change / 2].irqfd) = fd;
    return code_of(loop.run(changed, mode));
  };
  EXPECT_EQ(code_of(loop.run(std::span(fds).first(1))), std::errc::invalid_argument);
  EXPECT_EQ(code_of(loop.run(fds, 4)), std::errc::invalid_argument);
  EXPECT_EQ(refusal(2, -1, abi::kloop_mode::direct_tx), std::errc::invalid_argument);
  for (std::size_t change = 0; change != 4; ++change) {
    EXPECT_EQ(refusal(change, 9999), std::errc::bad_file_descriptor) << change;
    EXPECT_EQ(refusal(change, STDIN_FILENO), std::errc::invalid_argument) << change;
  }
  const Running running(loop, fds);
  send_and_sync(master, 0, 1);
  signals.tx_kick.give();
  EXPECT_FALSE(must(slave.wait(Direction::rx, patience)).empty()) << "and goes on as ever";
}

TEST_P(Loops, NeedAPortOfTheirOwn) {
  auto shared = open(base() + "{1", {.shared = true});
  const auto refusal = SyncLoop::attach(shared);
  EXPECT_EQ(code_of(refusal), std::errc::invalid_argument);
  EXPECT_NE(refusal.error().message().find("exclusively"), std::string::npos)
      << refusal.error().message();
  must(shared.sync_tx());
  EXPECT_TRUE(shared.tx_rings()[0].is_ready()) << "the port goes on as before";
}

TEST_P(Loops, AreAskedForInAKnownForm) {
  const auto send = [](std::uint16_t type, void* body, abi::nmreq_option* option) {
    abi::nmreq_header header{};
    header.nr_version = abi::version::current;
    header.nr_reqtype = type;
    header.nr_body = reinterpret_cast<std::uintptr_t>(body);
    header.nr_options = reinterpret_cast<std::uintptr_t>(option);
    return request(header, device());
  };
  abi::nmreq_sync_kloop_start start{};
  EXPECT_EQ(code_of(send(req::sync_kloop_start, &start, nullptr)),
            std::errc::no_such_device_or_address);
  EXPECT_EQ(code_of(send(req::sync_kloop_stop, nullptr, nullptr)),
            std::errc::no_such_device_or_address);
  EXPECT_EQ(code_of(send(req::csb_enable, nullptr, nullptr)), std::errc::invalid_argument);
}

TEST_P(Loops, CanBeAskedForAtTheRegistration) {
  alignas(abi::csb_align) std::array<std::byte, 1024> memory{};
  struct Asked {
    std::uint64_t flags;
    std::size_t misalignment;
    int answer;
  };
  constexpr std::array table{Asked{abi::register_flags::exclusive, 0, 0}, Asked{0, 0, EINVAL},
                             Asked{abi::register_flags::exclusive, 8, EINVAL}};
  for (const Asked& asked : table) {
    abi::nmreq_opt_csb option{};
    option.nro_opt.nro_reqtype = abi::option::csb;
    option.csb_atok = reinterpret_cast<std::uintptr_t>(memory.data()) + asked.misalignment;
    option.csb_ktoa = reinterpret_cast<std::uintptr_t>(memory.data()) + 512;
    abi::nmreq_register body{};
    body.nr_mode = abi::mode::all_nic;
    body.nr_flags = asked.flags;
    abi::nmreq_header header{};
    header.nr_version = abi::version::current;
    header.nr_reqtype = req::port_register;
    (base() + "{1").copy(header.nr_name, sizeof header.nr_name - 1);
    header.nr_body = reinterpret_cast<std::uintptr_t>(&body);
    header.nr_options = reinterpret_cast<std::uintptr_t>(&option);
    EXPECT_EQ(code_of(request(header, device())),
              std::error_code(asked.answer, std::system_category()));
    EXPECT_EQ(option.nro_opt.nro_status, static_cast<std::uint32_t>(asked.answer));
  }
  abi::nm_csb_ktoa first{};
  std::memcpy(&first, memory.data() + 512, sizeof first);
  EXPECT_EQ(first.hwtail, 1023U) << "the tx ring comes first";
  EXPECT_EQ(first.kern_need_kick, 1U);
}

}  // namespace
}  // namespace netmap::conformance
