// SPDX-License-Identifier: BSD-2-Clause
//
// What open ports owe each other: who may have which rings, and that wake-ups reach those who
// sleep, and nobody else.
#include "embedded/support.hpp"

#include <array>
#include <atomic>
#include <fstream>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

namespace netmap::embedded {
namespace {

using Endpoints = InDomain;

/// Whether a wake-up comes.
bool is_woken(const Port& port, Direction direction, std::chrono::milliseconds timeout) {
  const WaitHandle handle = port.wait_handle(direction);
  pollfd one{handle.fd, handle.events, 0};
  return ::poll(&one, 1, static_cast<int>(timeout.count())) == 1;
}

// ---- Whose rings --------------------------------------------------------------------------------

TEST_F(Endpoints, HaveOneOwnerEach) {
  auto master = open("x{1");
  const auto second = try_open("x{1");
  EXPECT_EQ(code_of(second), os_error(EBUSY));
  EXPECT_NE(message_of(second).find("process " + std::to_string(::getpid())), std::string::npos);
  EXPECT_EQ(code_of(try_open("x{1", {.shared = true})), os_error(EBUSY));
  EXPECT_TRUE(try_open("x}1"));
  close(master);
  EXPECT_TRUE(try_open("x{1"));
}

TEST_F(Endpoints, AreTakenDirectionByDirection) {
  auto receiver = open("x{1/R");
  EXPECT_EQ(code_of(try_open("x{1/R")), os_error(EBUSY));
  EXPECT_EQ(code_of(try_open("x{1")), os_error(EBUSY));
  auto sender = open("x{1/T");
  EXPECT_EQ(receiver.rx_rings().size() + sender.tx_rings().size(), 2U);
  auto neither = open("x{1/RT");
  EXPECT_TRUE(neither.rx_rings().empty() && neither.tx_rings().empty());
}

TEST_F(Endpoints, AreTakenRingByRing) {
  auto sender = open("x{1/T", {.conf = {.tx_rings = 4, .rx_rings = 4}});
  auto third = open("x{1-2/R");
  EXPECT_EQ(third.rx_rings()[0].index(), 2);
  EXPECT_EQ(code_of(try_open("x{1-2/R")), os_error(EBUSY));
  EXPECT_EQ(code_of(try_open("x{1-2")), os_error(EBUSY));
  EXPECT_TRUE(try_open("x{1-1/R"));
  EXPECT_EQ(code_of(try_open("x{1/R")), os_error(EBUSY));
}

TEST_F(Endpoints, CanBeOpenedOneForEachRing) {
  const PortOptions options{.device = device(), .conf = {.tx_rings = 4, .rx_rings = 2}};
  auto masters = must(open_each_ring("x{1", options));
  ASSERT_EQ(masters.size(), 4U);
  std::set<std::uint16_t> tx;
  std::set<std::uint16_t> rx;
  for (Port& port : masters) {
    for (TxRing& ring : port.tx_rings()) EXPECT_TRUE(tx.insert(ring.index()).second);
    for (RxRing& ring : port.rx_rings()) EXPECT_TRUE(rx.insert(ring.index()).second);
  }
  EXPECT_EQ(tx.size(), 4U);
  EXPECT_EQ(rx.size(), 2U);
}

TEST_F(Endpoints, OpenedOneForEachRingAreOfOneEnd) {
  auto master = open("x{1-0", {.conf = {.tx_rings = 2, .rx_rings = 2}});
  auto ports = must(open_each_ring("x{1}", {.device = device()}));
  ASSERT_EQ(ports.size(), 2U);
  EXPECT_EQ(ports[0].info().name, "x}1");
  EXPECT_EQ(ports[1].info().name, "x}1");
}

TEST_F(Endpoints, ThatShareARingUseItInTurns) {
  const PortOptions shared{
      .conf = {.tx_slots = 8, .rx_slots = 8}, .extra_buffers = 1, .shared = true};
  std::vector<Port> senders;
  std::vector<Port> receivers;
  for (int i = 0; i != 3; ++i) {
    senders.push_back(open("x{1", shared));
    receivers.push_back(open("x}1", shared));
  }
  Random random(1);
  std::uint64_t sent = 0;
  std::uint64_t taken = 0;
  for (int turn = 0; turn != 20'000; ++turn) {
    Port& sender = senders[random.below(3)];
    must(sender.sync_tx());
    sent = send_numbers(sender.tx_rings()[0], sent, sent + random.below(8));
    must(sender.sync_tx());
    Port& receiver = receivers[random.below(3)];
    must(receiver.sync_rx());
    taken = take_numbers(receiver.rx_rings()[0], taken, random.below(8));
    Port& syncing = receivers[random.below(3)];
    must(syncing.sync_rx());
  }
  EXPECT_GT(taken, 20'000U);
}

TEST_F(Endpoints, ThatShareARingHandBackWhatTheOthersSwapped) {
  const PortOptions options{
      .conf = {.tx_slots = 4, .rx_slots = 4}, .extra_buffers = 1, .shared = true};
  auto sender = open("x{1", options);
  auto swapping = open("x}1", options);
  auto syncing = open("x}1", options);
  must(syncing.sync_rx());
  send_one(sender);
  must(swapping.sync_rx());
  auto kept = must(swapping.take_buffer());
  RxSlot received = swapping.rx_rings()[0].slots().front();
  const std::uint32_t lent = received.buffer_index();
  must(received.swap(kept));
  must(swapping.rx_rings()[0].release(received.after()));
  must(syncing.sync_rx());
  EXPECT_NE(abi::slots_of(*sender.tx_rings()[0].raw())[0].buf_idx, lent) << "it has two owners";
}

TEST_F(Endpoints, ThatShareARingAreFew) {
  std::vector<Port> sharing;
  for (int i = 0; i != 4; ++i) sharing.push_back(open("x{1", {.shared = true}));
  EXPECT_EQ(code_of(try_open("x{1", {.shared = true})), os_error(EBUSY));
  sharing.pop_back();
  EXPECT_TRUE(try_open("x{1", {.shared = true}));
}

/// All of them wait; a packet wakes them all.
TEST_F(Endpoints, ThatShareARingAreAllWoken) {
  std::vector<Port> sharing;
  for (int i = 0; i != 4; ++i) {
    sharing.push_back(open("x}1", {.shared = true}));
    ASSERT_TRUE(must(sharing.back().arm(Direction::rx)));
  }
  auto sender = open("x{1");
  send_one(sender);
  for (Port& port : sharing) EXPECT_TRUE(is_woken(port, Direction::rx, patience));
}

/// While it lives this process can open only so many more files.
class FewFiles {
 public:
  explicit FewFiles(rlim_t spare) {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &usual_), 0);
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT_GE(next, 0);
    ::close(next);
    const rlimit few{static_cast<rlim_t>(next) + spare, usual_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;
  ~FewFiles() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &usual_), 0); }

 private:
  rlimit usual_{};
};

TEST_F(Endpoints, LiveWhileTheirOwnerCannotOpenFiles) {
  auto port = open("x{1");
  for (rlim_t spare = 0; spare != 6; ++spare) {
    {
      const FewFiles few(spare);
      (void)port_info("y{1", device());
    }
    ASSERT_EQ(code_of(try_open("x{1")), os_error(EBUSY)) << "with " << spare << " descriptors";
  }
}

// ---- Wake-ups -----------------------------------------------------------------------------------

TEST_F(Endpoints, AreWokenThoughOneWhoSleptThereIsGone) {
  auto sender = open("x{1");
  for (int others = 0; others != 8; ++others) {
    std::vector<Port> before;
    for (int i = 0; i != others; ++i) before.push_back(open("y{" + std::to_string(i)));
    auto gone = open("x}1");
    ASSERT_TRUE(must(gone.arm(Direction::rx)));
    close(gone);
    before.clear();
    auto receiver = open("x}1");
    ASSERT_TRUE(must(receiver.arm(Direction::rx)));
    send_one(sender);
    ASSERT_TRUE(is_woken(receiver, Direction::rx, patience)) << others;
    receiver.disarm(Direction::rx);
    must(receiver.sync_rx());
    receiver.rx_rings()[0].for_each([](const Packet&) {});
  }
}

TEST_F(Endpoints, AreWokenOnceTheWakerCanOpenTheirBell) {
  auto sender = open("x{1");
  auto receiver = open("x}1");
  ASSERT_TRUE(must(receiver.arm(Direction::rx)));
  {
    const FewFiles none(0);
    send_one(sender);
  }
  EXPECT_FALSE(is_woken(receiver, Direction::rx, moment));
  must(sender.sync_tx());
  EXPECT_TRUE(is_woken(receiver, Direction::rx, patience));
}

TEST_F(Endpoints, AreWokenOnceByALateRing) {
  auto sender = open("x{1");
  auto receiver = open("x}1");
  const auto ring_late = [this](const std::string& fifo) {
    std::ofstream(path() + '/' + fifo).put('\0');
  };
  ring_late("1.rx");
  EXPECT_TRUE(must(receiver.wait(Direction::rx, moment)).empty());
  EXPECT_LE(receiver.stats().polls, 2U) << "it was woken again and again";

  const PortOptions small{.conf = {.tx_slots = 4, .rx_slots = 4}};
  auto full = open("y{1", small);
  (void)send_numbers(full.tx_rings()[0], 0, 10);
  ring_late("2.tx");
  EXPECT_TRUE(must(full.wait(Direction::tx, moment)).empty());
  EXPECT_LE(full.stats().polls, 2U) << "it was woken again and again";
}

TEST_F(Endpoints, AreWokenThoughAnotherRingIsBroken) {
  const PortOptions options{.conf = {.tx_rings = 2, .rx_rings = 2, .tx_slots = 4, .rx_slots = 4}};
  auto sender = open("x{1", options);
  auto receiver = open("x}1", options);
  ASSERT_TRUE(must(receiver.arm(Direction::rx)));
  ASSERT_TRUE(send_number(sender.tx_rings()[0], 0));
  sender.tx_rings()[1].raw()->head = 100;
  EXPECT_EQ(code_of(sender.sync_tx()), make_error_code(errc::ring_corrupt));
  EXPECT_TRUE(is_woken(receiver, Direction::rx, patience));
  receiver.disarm(Direction::rx);

  (void)send_numbers(sender.tx_rings()[0], 1, 10);
  (void)send_numbers(sender.tx_rings()[1], 1, 10);
  ASSERT_TRUE(must(sender.arm(Direction::tx)));
  must(receiver.sync_rx());
  receiver.rx_rings()[0].for_each([](const Packet&) {});
  receiver.rx_rings()[1].raw()->head = 100;
  EXPECT_EQ(code_of(receiver.sync_rx()), make_error_code(errc::ring_corrupt));
  EXPECT_TRUE(is_woken(sender, Direction::tx, patience));
}

const PortOptions ending{.conf = {.tx_slots = 4, .rx_slots = 4}, .ends_with_peer = true};
const std::error_code gone = make_error_code(errc::peer_gone);

TEST_F(Endpoints, EndWithTheirPeerOnceAllWasReceived) {
  auto receiver = open("x}1", ending);
  EXPECT_TRUE(must(receiver.wait(Direction::rx, moment)).empty()) << "nobody has come yet";
  for (int life = 0; life != 2; ++life) {
    auto sender = open("x{1");
    must(receiver.sync_rx());
    send_one(sender);
    close(sender);
    must(receiver.sync_rx());
    must(receiver.sync_rx());
    EXPECT_EQ(take_numbers(receiver.rx_rings()[0], 0), 1U);
    EXPECT_EQ(code_of(receiver.sync_rx()), gone);
    EXPECT_EQ(code_of(receiver.wait(Direction::rx, patience)), gone);
  }
}

TEST_F(Endpoints, EndWithTheirPeerOnceNothingFits) {
  auto sender = open("x{1", ending);
  auto receiver = open("x}1");
  close(receiver);
  for (std::uint64_t number = 0; number != 3; ++number) {
    must(sender.sync_tx());
    ASSERT_TRUE(send_number(sender.tx_rings()[0], 0));
  }
  EXPECT_EQ(code_of(sender.sync_tx()), gone);
}

TEST_F(Endpoints, EndWhenTheirPeerDiesWhileTheySleep) {
  Shared<std::atomic<bool>> is_open;
  Process peer([&] {
    auto sender = open("x{1");
    *is_open = true;
    ::pause();
    return false;
  });
  ASSERT_TRUE(await([&] { return is_open->load(); }));
  auto receiver = open("x}1", ending);
  ASSERT_TRUE(must(receiver.arm(Direction::rx)));
  peer.kill();
  EXPECT_TRUE(is_woken(receiver, Direction::rx, patience));
  receiver.disarm(Direction::rx);
  EXPECT_EQ(code_of(receiver.wait(Direction::rx, patience)), gone);
}

TEST_F(Endpoints, WaitForAnotherPeerUnlessAskedToEnd) {
  auto receiver = open("x}1");
  {
    const auto sender = open("x{1");
  }
  EXPECT_TRUE(must(receiver.wait(Direction::rx, moment)).empty());
}

TEST_F(Endpoints, AreNotWokenForTooLittle) {
  const PortOptions options{.conf = {.tx_slots = 16, .rx_slots = 16}};
  auto sender = open("x{1", options);
  auto receiver = open("x}1", options);
  RxRing& rx = receiver.rx_rings()[0];
  (void)send_numbers(sender.tx_rings()[0], 0, 100);
  must(sender.sync_tx());
  must(receiver.sync_rx());
  must(sender.tx_rings()[0].want(10));
  ASSERT_TRUE(must(sender.arm(Direction::tx)));
  must(rx.release(rx.slots()[8].after()));
  must(receiver.sync_rx());
  EXPECT_FALSE(is_woken(sender, Direction::tx, moment)) << "nine are not ten";
  must(rx.release(rx.slots()[0].after()));
  must(receiver.sync_rx());
  EXPECT_TRUE(is_woken(sender, Direction::tx, patience));
}

TEST_F(Endpoints, AreNotWokenForWhatTheyHaveSeen) {
  auto sender = open("x{1");
  auto receiver = open("x}1");
  send_one(sender);
  must(receiver.sync_rx());
  must(receiver.rx_rings()[0].seen(receiver.rx_rings()[0].slots().end()));
  ASSERT_TRUE(must(receiver.arm(Direction::rx)));
  must(sender.sync_tx());
  EXPECT_FALSE(is_woken(receiver, Direction::rx, moment));
  send_one(sender, 1);
  EXPECT_TRUE(is_woken(receiver, Direction::rx, patience));
}

/// Half a packet wakes nobody, and is neither lost nor sent by a change of owner.
TEST_F(Endpoints, PassOnHalfAPacketToTheNextOwner) {
  auto sender = open("x{1");
  auto receiver = open("x}1");
  TxRing& tx = sender.tx_rings()[0];
  TxSlot first = tx.slots().front();
  must(first.write(std::array<std::byte, 10>{}, abi::slot_flags::more_fragments));
  must(tx.commit(first.after()));
  ASSERT_TRUE(must(receiver.arm(Direction::rx)));
  must(sender.sync_tx());
  EXPECT_FALSE(is_woken(receiver, Direction::rx, moment));
  receiver.disarm(Direction::rx);
  must(receiver.sync_rx());
  EXPECT_TRUE(receiver.rx_rings()[0].slots().empty());
  close(sender);

  auto next = open("x{1");
  TxSlot second = next.tx_rings()[0].slots().front();
  must(second.write(std::array<std::byte, 20>{}));
  must(next.tx_rings()[0].commit(second.after()));
  must(next.sync_tx());
  must(receiver.sync_rx());
  std::vector<std::size_t> sizes;
  receiver.rx_rings()[0].for_each([&](const Packet& packet) { sizes.push_back(packet.size()); });
  EXPECT_EQ(sizes, std::vector<std::size_t>{30});
}

// ---- fork ---------------------------------------------------------------------------------------

/// Like any descriptor, an endpoint's stays open as long as a copy of it is.
TEST_F(Endpoints, AreHeldByEveryCopyOfTheirDescriptor) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  auto port = open("x{1");
  send_one(port);
  Process holding([&pipe] {
    ::close(pipe[1]);
    char byte = 0;
    return ::read(pipe[0], &byte, 1) == 0;
  });
  ::close(pipe[0]);
  close(port);
  EXPECT_EQ(code_of(try_open("x{1")), os_error(EBUSY));
  ::close(pipe[1]);
  EXPECT_TRUE(holding.succeeded());
  auto next = open("x{1");
  EXPECT_EQ(files().count("0.rx"), 1U);
}

TEST_F(Endpoints, OutliveAChildThatHadACopy) {
  auto sender = open("x{1");
  auto receiver = open("x}1");
  EXPECT_TRUE(Process([] { return true; }).succeeded());
  EXPECT_EQ(code_of(try_open("x{1")), os_error(EBUSY));
  for (std::uint64_t number = 0; number != 100; ++number) {
    ASSERT_TRUE(must(receiver.arm(Direction::rx)));
    send_one(sender, number);
    ASSERT_TRUE(is_woken(receiver, Direction::rx, patience));
    receiver.disarm(Direction::rx);
    must(receiver.sync_rx());
    ASSERT_EQ(take_numbers(receiver.rx_rings()[0], number), number + 1);
  }
}

}  // namespace
}  // namespace netmap::embedded
