// SPDX-License-Identifier: BSD-2-Clause
//
// Sync loops as programs with requests of their own see them: what each option is told, and the
// words by which program and loop ask to be woken.
#include "embedded/support.hpp"

#include "device/device.hpp"
#include "port/request.hpp"

#include <array>
#include <cerrno>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>

namespace netmap::embedded {
namespace {

/// An end of a pipe in CSB mode, one ring in each direction, and an eventfd of each kind.
class BareLoops : public InDomain {
 protected:
  BareLoops() : device_(must(open_device(device())).device) {
    abi::nmreq_register body{};
    body.nr_mode = abi::mode::all_nic;
    body.nr_flags = abi::register_flags::exclusive;
    body.nr_tx_slots = body.nr_rx_slots = slots;
    auto header = make_request(abi::request::port_register, "x{1", &body);
    abi::nmreq_opt_csb arrays{};
    arrays.csb_atok = reinterpret_cast<std::uintptr_t>(from_program_.data());
    arrays.csb_ktoa = reinterpret_cast<std::uintptr_t>(to_program_.data());
    add_option(header, arrays.nro_opt, abi::option::csb);
    must(device_->control(header));
    descriptors_.option.nro_opt.nro_size = sizeof descriptors_;
    for (auto& pair : descriptors_.pairs) pair = {kick_.fd(), interrupt_.fd()};
  }

  static constexpr std::uint32_t slots = 16;
  /// The options of a request that starts the loop.
  struct Descriptors {
    abi::nmreq_opt_sync_kloop_eventfds option;
    std::array<abi::EventFds, 2> pairs;
  };
  Result<> start(Descriptors& descriptors, abi::nmreq_opt_sync_kloop_mode& mode) {
    abi::nmreq_sync_kloop_start body{};
    auto header = make_request(abi::request::sync_kloop_start, "", &body);
    add_option(header, descriptors.option.nro_opt, abi::option::sync_kloop_eventfds);
    add_option(header, mode.nro_opt, abi::option::sync_kloop_mode);
    return device_->control(header);
  }

  /// Runs the loop, with the eventfds, while `use` does.
  template <class Use>
  void beside(Use use) {
    Descriptors descriptors = descriptors_;
    abi::nmreq_opt_sync_kloop_mode mode{};
    Result<> done;
    std::thread loop([&] { done = start(descriptors, mode); });
    use();
    auto header = make_request(abi::request::sync_kloop_stop, "", nullptr);
    must(device_->control(header));
    loop.join();
    must(done);
  }
  /// Waits until `is_so`, which another thread sees to.
  template <class IsSo>
  static void await(IsSo is_so) {
    while (!is_so()) std::this_thread::yield();
  }
  template <class T>
  static T load(const T& word) {
    return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
  }

  /// Whether the program was interrupted since this was last asked.
  [[nodiscard]] bool is_interrupted() const {
    eventfd_t count = 0;
    return ::eventfd_read(interrupt_.fd(), &count) == 0;
  }
  void await_interrupt() const {
    pollfd wait{interrupt_.fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&wait, 1, -1), 1);
  }
  /// The program's cur and head of a ring, in the order that netmap(4) asks for.
  void move(std::size_t ring, std::uint32_t to) {
    __atomic_store_n(&from_program_[ring].cur, to, __ATOMIC_RELAXED);
    __atomic_store_n(&from_program_[ring].head, to, __ATOMIC_RELEASE);
  }
  void kick() const { ASSERT_EQ(::eventfd_write(kick_.fd(), 1), 0); }

  // tx, then rx
  alignas(abi::csb_align) std::array<abi::nm_csb_atok, 2> from_program_{};
  alignas(abi::csb_align) std::array<abi::nm_csb_ktoa, 2> to_program_{};
  os::File kick_{::eventfd(0, EFD_CLOEXEC)};
  os::File interrupt_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  Descriptors descriptors_{};
  std::unique_ptr<Device> device_;
};

TEST_F(BareLoops, TellEachOption) {
  constexpr std::uint32_t direct = abi::kloop_mode::direct_tx;
  struct Asked {
    std::uint32_t mode;
    std::uint64_t size;
    int kick;  ///< instead of the one of rx
    int answer;
    std::uint32_t mode_status;
    std::uint32_t descriptors_status;
  };
  constexpr std::uint64_t fits = sizeof(Descriptors);
  const int good = kick_.fd();
  const Asked table[] = {
      {4, fits, good, EINVAL, EINVAL, EOPNOTSUPP}, {4, fits - 8, good, EINVAL, EINVAL, EOPNOTSUPP},
      {0, fits - 8, good, EINVAL, 0, EINVAL},      {0, fits + 8, good, EINVAL, 0, EINVAL},
      {direct, fits, -1, EINVAL, 0, EINVAL},       {direct, fits, 9999, EBADF, 0, 0},
      {0, fits, STDIN_FILENO, EINVAL, 0, 0}};
  for (const Asked& asked : table) {
    Descriptors descriptors = descriptors_;
    descriptors.option.nro_opt.nro_size = asked.size;
    descriptors.pairs[1].ioeventfd = asked.kick;
    abi::nmreq_opt_sync_kloop_mode mode{};
    mode.mode = asked.mode;
    EXPECT_EQ(code_of(start(descriptors, mode)), os_error(asked.answer)) << &asked - table;
    EXPECT_EQ(mode.nro_opt.nro_status, asked.mode_status) << &asked - table;
    EXPECT_EQ(descriptors.option.nro_opt.nro_status, asked.descriptors_status) << &asked - table;
  }
  beside([] {});
}

TEST_F(BareLoops, AskToBeKickedWhenTheySleep) {
  Port peer = open("x}1");
  to_program_[0].kern_need_kick = 0;
  beside([&] {
    await([&] { return load(to_program_[0].kern_need_kick) == 1; });
    for (std::uint32_t head = 1; head != 100; ++head) {
      move(0, head % slots);
      kick();
      ASSERT_FALSE(must(peer.wait(Direction::rx, patience)).empty());
      ASSERT_EQ(peer.rx_rings()[0].slots().size(), 1U);
      must(peer.rx_rings()[0].release(peer.rx_rings()[0].slots().end()));
    }
    must(peer.sync_rx());
    await([&] {
      return load(to_program_[0].hwcur) == 99 % slots && load(to_program_[0].hwtail) == 98 % slots;
    });
  });
}

TEST_F(BareLoops, InterruptWhoAsksForIt) {
  Port peer = open("x}1");
  from_program_[1].appl_need_kick = 0;
  const auto send = [&](std::uint32_t number) {
    must(peer.tx_rings()[0].send(std::array<std::byte, 60>{}));
    must(peer.sync_tx());
    await([&] { return load(to_program_[1].hwtail) == number; });
  };
  beside([&] {
    for (std::uint32_t number = 1; number != 10; ++number) send(number);
  });
  EXPECT_FALSE(is_interrupted());
  from_program_[1].appl_need_kick = 1;
  beside([&] {
    send(10);
    await_interrupt();
  });
  EXPECT_TRUE(is_interrupted());
}

/// Though the program never stores its cur and head in the rings.
TEST_F(BareLoops, AreWokenWhereverTheRingsOwnHeadStands) {
  Port peer = open("x}1");
  TxRing& ring = peer.tx_rings()[0];
  beside([&] {
    for (std::uint32_t n = 1; n != 100 * slots; ++n) {
      must(ring.send(std::array<std::byte, 60>{}));
      must(peer.sync_tx());
      const std::uint32_t place = n % slots;
      await([&] { return load(to_program_[1].hwtail) == place; });
      move(1, place);
      if (n % 8 != 0) continue;
      kick();
      await([&] { return load(to_program_[1].hwcur) == place; });
      must(peer.sync_tx());
    }
  });
}

}  // namespace
}  // namespace netmap::embedded
