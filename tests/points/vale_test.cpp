// SPDX-License-Identifier: BSD-2-Clause
//
// The same on a switch: a sender and a receiver live there, and between them comes and goes a
// victim, which answers each frame that it gets. While it is stopped, and after it has died, no
// frame of the sender's is lost to the receiver; what it sent is received; and when it is dead
// nothing is left of it.
#include <netmap/control.hpp>

#include "device/embedded/mailbox.hpp"
#include "device/embedded/vale.hpp"
#include "points/points.hpp"
#include "support/frames.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace netmap::embedded {
namespace {

using test::Frame;
using test::frame_of;
using test::send_frame;

constexpr test::Address sender = 1;
constexpr test::Address receiver = 2;
constexpr test::Address victim = 3;

PortOptions of_slots(std::uint32_t slots, std::uint16_t memory_id = 0) {
  return {.conf = {.tx_slots = slots, .rx_slots = slots}, .memory_id = memory_id};
}

/// The number after `number` that a frame of the victim's has room for.
std::uint32_t next_number(std::uint32_t number) {
  do ++number;
  while (!Frame{victim, receiver, number}.has_number());
  return number;
}

/// Of the victim's frames, as numbers: the next, and the one after the last whose sync has ended.
struct Answers {
  std::atomic<std::uint32_t> drawn = next_number(0);
  std::atomic<std::uint32_t> sent = 0;
};

class PointsOfSwitches : public Points {
 protected:
  void SetUp() override {
    say_hello(to_, receiver);
    say_hello(from_, sender);
    must(from_.sync_rx());
    take();
    files_ = files();
  }
  void TearDown() override {
    for (Port* const port : {&from_, &to_, &source_, &sink_}) close(*port);
    (void)try_open("last{1");
    EXPECT_EQ(files(), at_rest);
  }

  void serve() override {
    for (int count = 0; count != 4; ++count) {
      EXPECT_TRUE(send_frame(from_.tx_rings()[0], {sender, receiver, frames_sent_++}));
    }
    for (int count = 0; count != 2; ++count) {
      EXPECT_TRUE(send_frame(from_.tx_rings()[0], {sender, victim, asked_++}));
    }
    must(from_.sync_tx());
    take();
    for (Port* const pipe : {&source_, &sink_}) must(pipe->sync_rx());  // answers a recount
    ASSERT_EQ(frames_received_, frames_sent_) << "of frames between those who live";
  }

  void forward_some(Random random) override {
    if (is_due() && random.below(2) == 0) leave_a_corpse_at_the_switch();
    const std::uint16_t memory_id = random.below(2) == 0 ? 1 : 0;
    auto port = open("vale:victim", of_slots(64, memory_id));
    say_hello(port, victim);
    for (std::uint64_t turns = 1 + random.below(20); turns != 0; --turns) {
      (void)must(port.wait(Direction::rx, blink));
      port.rx_rings()[0].for_each([&](const Packet& packet) { answer(port, packet); });
      const std::uint32_t sent = answers_->drawn;
      must(port.sync_tx());
      answers_->sent = sent;
      must(port.sync_rx());
    }
  }

  void settle() override {
    for (int life = 0; life != 2; ++life) {
      auto port = open("vale:victim", of_slots(64, 1));
      serve();
    }
    take();
    EXPECT_GE(next_answer_, answers_->sent) << "of frames that the dead had sent";
    next_answer_ = answers_->drawn;
    EXPECT_EQ(full_cells(to_, "to"), 1) << "of which the dead had claimed some";
    const auto ports = must(netmap::open_ports(device()));
    EXPECT_EQ(ports.size(), 4U);
    EXPECT_EQ(files(), files_);
  }

  void meanwhile() override {
    Points::meanwhile();
    if (is_locked()) return;  // of which the sentence is tried elsewhere
    auto one = open("vale:one", of_slots(64, 1));
    auto other = open("vale:other", of_slots(64));
    for (int turn = 0; turn != 20; ++turn) serve();
    EXPECT_TRUE(send_frame(one.tx_rings()[0], {7, test::everybody, 0}));
    must(one.sync_tx());
    EXPECT_FALSE(must(other.wait(Direction::rx, patience)).empty());
  }

  [[nodiscard]] std::vector<InUse> in_use() const override {
    return {InDomain::in_use(1), InDomain::in_use(from_.info().memory_id),
            InDomain::in_use(to_.info().memory_id)};
  }

 protected:
  static void say_hello(Port& port, test::Address from) {
    EXPECT_TRUE(send_frame(port.tx_rings()[0], {from, test::everybody, 0}));
    must(port.sync_tx());
  }
  void leave_a_corpse_at_the_switch() {
    (void)Process([this] {
      chosen = nullptr;
      auto port = open("vale:corpse", of_slots(16, 1));
      say_hello(port, 4);
      return ::kill(::getpid(), SIGKILL) == 0;
    }).succeeded();
  }

  Port from_ = open("vale:from", of_slots(64));

 private:
  [[nodiscard]] std::ptrdiff_t full_cells(const Port& port, std::string_view name) const {
    const auto domain = must(Domain::at(path()));
    const auto memory = must(Memory::existing(*domain, port.info().memory_id));
    const auto place = find_vale_port(domain->state(), {"vale", name}).value();
    const SwitchPort& record = domain->state().switches[place.vale].ports[place.port];
    const auto mailbox = Mailbox::in(*memory, mailbox_object(record, 0), record.rx_slots);
    return std::count_if(mailbox.cells, mailbox.cells + mailbox.size,
                         [](const Cell& cell) { return cell.owner != owner::nobody; });
  }
  /// A number is drawn once, whoever lives. Of those that a victim had drawn before its last sync
  /// ended the rest may be missing.
  void answer(Port& port, const Packet& packet) {
    const auto frame = frame_of(packet);
    EXPECT_TRUE(frame) << "a frame was damaged";
    if (!frame || frame->to != victim) return;
    if (!send_frame(port.tx_rings()[0], {victim, receiver, answers_->drawn})) return;
    answers_->drawn = next_number(answers_->drawn);
  }
  void take() {
    (void)must(to_.wait(Direction::rx, blink));
    must(to_.sync_rx());
    to_.rx_rings()[0].for_each([&](const Packet& packet) {
      const auto frame = frame_of(packet);
      ASSERT_TRUE(frame) << "a frame was damaged";
      if (frame->from == sender && frame->to == receiver) take_from_sender(*frame);
      if (frame->from == victim && frame->to == receiver) take_answer(*frame);
    });
    must(to_.sync_rx());
  }
  void take_from_sender(const Frame& frame) {
    const std::uint32_t next = frames_received_++;
    EXPECT_EQ(frame.number, frame.has_number() ? next : next % 65'536);
  }
  void take_answer(const Frame& frame) {
    EXPECT_EQ(frame.number, next_answer_);
    next_answer_ = next_number(frame.number);
    ++received_;
  }

  Port to_ = open("vale:to", of_slots(1024));
  Shared<Answers> answers_;
  std::uint32_t frames_sent_ = 0;
  std::uint32_t frames_received_ = 0;
  std::uint32_t asked_ = 0;
  std::uint32_t next_answer_ = answers_->drawn;
  std::set<std::string> files_;
};

TEST_F(PointsOfSwitches, KillNobodyElse) {
  kill_at(points_of({"vale: ", "deliver: ", "take: ", "close: "}));
}

TEST_F(PointsOfSwitches, StopNobodyElse) {
  stop_at(points_of({"vale: ", "deliver: ", "take: "}), 20);
}

/// A process that stops, or dies, at its `pass`-th pass of a point, counted from 0, in `work()`.
template <std::invocable Work>
Process start(const char* point, int pass, int signal, Work work) {
  return Process([=] {
    chosen = point;
    passes = pass;
    signal_there = signal;
    points::reached = strike;
    work();
    return true;
  });
}

/// Its ring has fewer slots than the victim has frames.
TEST_F(PointsOfSwitches, StopOfASenderLeavesOthersRoomInASmallRing) {
  constexpr test::Address address = 5;
  auto few = open("vale:few", of_slots(16));
  say_hello(few, address);
  const Process stopped = start("deliver: cell claimed", 14, SIGSTOP, [this] {
    auto port = open("vale:victim", of_slots(64));
    for (std::uint32_t number = 0; number != 15; ++number) {
      EXPECT_TRUE(send_frame(port.tx_rings()[0], {victim, address, number}));
    }
    must(port.sync_tx());
  });
  ASSERT_TRUE(await([&] { return is_struck(stopped); }));
  std::size_t received = 0;
  const auto take_all = [&] {
    must(few.sync_rx());
    few.rx_rings()[0].for_each([&](const Packet& packet) {
      const auto frame = frame_of(packet);
      received += frame && frame->from == sender;
    });
    must(few.sync_rx());
  };
  take_all();
  EXPECT_TRUE(send_frame(from_.tx_rings()[0], {sender, test::everybody, 1}));
  must(from_.sync_tx());
  take_all();
  EXPECT_EQ(received, 1U);
}

/// The names of buffers in rings and mailboxes of a port.
class NamesOfBuffers {
 public:
  explicit NamesOfBuffers(const std::string& domain) : domain_(must(Domain::at(domain))) {}

  void add(const Port& port, const ValeName& name) {
    const auto memory = must(Memory::existing(*domain_, port.info().memory_id));
    const auto place = find_vale_port(domain_->state(), name).value();
    for_each_object(domain_->state().switches[place.vale].ports[place.port],
                    [&](std::uint32_t object) {
                      for_each_slot(*memory, object, [&](auto& slot) { add(slot.buf_idx); });
                    });
  }
  void add(Port& port) {
    for (TxRing& ring : port.tx_rings()) {
      const std::span slots(abi::slots_of(*ring.raw()), ring.num_slots());
      for (const abi::netmap_slot& slot : slots) add(slot.buf_idx);
    }
  }
  void add(std::uint32_t buffer) {
    EXPECT_TRUE(names_.insert(buffer).second) << "buffer " << buffer << " has two names";
  }

 private:
  std::shared_ptr<Domain> domain_;
  std::set<std::uint32_t> names_;
};

TEST_F(PointsOfSwitches, KillOfAReceiverThatTakesLeavesTheNextEachBufferInOnePlace) {
  const PortOptions two_rings{
      .conf = {.tx_rings = 2, .rx_rings = 2, .tx_slots = 16, .rx_slots = 16}};
  auto second = open("vale:two-1", two_rings);
  const Shared<std::atomic<bool>> is_open;
  Process taker = start("take: slot filled", 1, SIGKILL, [&] {
    auto first = open("vale:two-0");
    *is_open = true;
    for (;;) (void)must(first.wait(Direction::rx, patience));
  });
  ASSERT_TRUE(await([&] { return is_open->load(); }));
  for (std::uint32_t number = 0; number != 2; ++number) {
    EXPECT_TRUE(send_frame(from_.tx_rings()[0], {sender, test::everybody, number}));
  }
  must(from_.sync_tx());
  EXPECT_FALSE(taker.succeeded());
  auto first = open("vale:two-0");
  NamesOfBuffers(path()).add(first, {"vale", "two"});
  for (int turn = 0; turn != 2; ++turn) {
    for (Port* const port : {&first, &second}) must(port->sync_rx());
    (void)try_open("vale:two");  // is refused, and collects
  }
  EXPECT_EQ(InDomain::in_use(first.info().memory_id).buffers, 2U + 16 * 6);
}

/// At whatever point: what the dead had moved the other one finds shown, and goes on behind it.
/// With data offsets, frames are short, and fit buffers all the same.
TEST_F(PointsOfSwitches, KillOfAReceiverThatTakesCostsWhoSharesItsRingNothing) {
  constexpr test::Address address = 5;
  const auto run = [&](const char* point, int pass, bool has_offsets) {
    PortOptions shared = of_slots(128);
    shared.shared = true;
    if (has_offsets) shared.offset = DataOffset{.initial = 64, .bits = 0, .max = 64};
    auto port = open("vale:both", shared);
    say_hello(port, address);
    std::vector<std::uint32_t> numbers;
    std::size_t received = 0;
    const auto send = [&] {
      std::uint32_t number = numbers.empty() ? 0 : numbers.back();
      for (std::size_t end = numbers.size() + 12; numbers.size() != end; ++number) {
        const Frame frame{sender, address, number + 1};
        if (has_offsets && frame.size() > 1500) continue;
        EXPECT_TRUE(send_frame(from_.tx_rings()[0], frame));
        numbers.push_back(frame.number);
      }
      must(from_.sync_tx());
    };
    const auto take_all = [&] {
      must(port.sync_rx());
      port.rx_rings()[0].for_each([&](const Packet& packet) {
        const auto frame = frame_of(packet);
        ASSERT_TRUE(frame) << "a frame was damaged";
        EXPECT_EQ(frame->number, numbers.at(received++));
      });
      must(port.sync_rx());
      EXPECT_EQ(received, numbers.size());
    };
    send();
    take_all();
    send();
    Process taker = start(point, pass, SIGKILL, [&] { must(open("vale:both", shared).sync_rx()); });
    EXPECT_TRUE(!taker.succeeded() || pass != 0) << "it is never reached";
    take_all();
    NamesOfBuffers(path()).add(port, {"vale", "both"});
    (void)open("vale:other");  // finds who is dead
    for (int turn = 0; turn != 20 && !HasFailure(); ++turn) {
      send();
      take_all();
    }
    NamesOfBuffers(path()).add(port, {"vale", "both"});
  };
  for (const char* const point : points_of({"take: "})) {
    for (int pass = 0; pass != 12; ++pass) {
      for (const bool has_offsets : {false, true}) {
        SCOPED_TRACE(std::string(point) + ", pass " + std::to_string(pass));
        run(point, pass, has_offsets);
        ASSERT_FALSE(HasFailure());
      }
    }
  }
}

/// Who has a packet in a mailbox is found dead by the receiver, which is stopped meanwhile, right
/// after it looked what there is.
TEST_F(PointsOfSwitches, KillOfASenderWhileAReceiverTakesLosesNothingThatWasPutIn) {
  struct Progress {
    std::atomic<bool> is_open;
    std::atomic<bool> has_synced;
    std::atomic<bool> may_take;
  };
  const Shared<Progress> progress;
  Process taker = start("take: moved", 0, SIGSTOP, [&] {
    auto port = open("vale:few", of_slots(16));
    progress->is_open = true;
    (void)must(port.wait(Direction::rx, patience));
    progress->has_synced = true;
    EXPECT_TRUE(await([&] { return progress->may_take.load(); }));
    std::size_t count[4] = {};
    for (int turn = 0; turn != 3; ++turn) {
      must(port.sync_rx());
      port.rx_rings()[0].for_each([&](const Packet& packet) {
        const auto frame = frame_of(packet);
        ASSERT_TRUE(frame) << "a frame was damaged";
        EXPECT_EQ(frame->number, count[frame->from]++);
      });
    }
    EXPECT_EQ(count[sender], 12U) << "there is no room for more";
    EXPECT_EQ(count[victim], 3U);
  });
  ASSERT_TRUE(await([&] { return progress->is_open.load(); }));
  const auto die_with = [this](auto work) {
    EXPECT_FALSE(Process([&] {
                   auto port = open("vale:victim", of_slots(16));
                   work(port);
                   return ::kill(::getpid(), SIGKILL) == 0;
                 }).succeeded());
    (void)open("vale:other", of_slots(16));  // finds it
  };
  const auto send = [](Port& port, test::Address from, std::uint32_t first, std::uint32_t end) {
    for (std::uint32_t number = first; number != end; ++number) {
      EXPECT_TRUE(send_frame(port.tx_rings()[0], {from, test::everybody, number}));
    }
    must(port.sync_tx());
  };
  die_with([](Port&) {});
  send(from_, sender, 0, 1);
  ASSERT_TRUE(await([&] { return is_struck(taker); }));
  die_with([&](Port& port) { send(port, victim, 0, 3); });
  ::kill(taker.id(), SIGCONT);
  ASSERT_TRUE(await([&] { return progress->has_synced.load(); }));
  send(from_, sender, 1, 16);
  progress->may_take = true;
  EXPECT_TRUE(taker.succeeded());
}

/// It is at one of the two, whole, and can be moved and removed.
TEST_F(PointsOfSwitches, KillWhileAnInterfaceIsMovedLeavesItInOnePlace) {
  const auto names = [this] {
    std::vector<std::string> found;
    for (const OpenPort& port : must(netmap::open_ports(device()))) {
      if (port.name.ends_with("v0")) found.push_back(port.name);
    }
    return found;
  };
  const std::string attached = "vale:v0";
  for (const char* const point : points_of({"attach: "})) {
    for (const bool is_attaching : {true, false}) {
      must(make_vale_interface("v0", device()));
      if (!is_attaching) must(attach_to_switch(attached, device()));
      EXPECT_FALSE(
          start(point, 0, SIGKILL, [&] {
            must((is_attaching ? attach_to_switch : detach_from_switch)(attached, device()));
          }).succeeded());
      EXPECT_EQ(names().size(), 1U) << point;
      if (names().front() != attached) must(attach_to_switch(attached, device()));
      {
        auto port = open(attached);
        say_hello(port, 9);
      }
      must(detach_from_switch(attached, device()));
      must(remove_vale_interface("v0", device()));
      EXPECT_TRUE(names().empty());
    }
  }
}

TEST_F(PointsOfSwitches, AreShownToNoMonitorThatIsClosed) {
  auto monitor = open("vale:to/r", of_slots(16));
  const auto domain = must(Domain::at(path()));
  const auto memory = must(Memory::existing(*domain, monitor.info().memory_id));
  const SwitchPort& record = domain->state().switches[monitors].ports[0];
  const auto mailbox = Mailbox::in(*memory, mailbox_object(record, 0), record.rx_slots);
  say_hello(from_, sender);
  say_hello(from_, sender);
  EXPECT_NE(mailbox.words->newest, 0U);
  close(monitor);
  mailbox.words->newest = 0;
  say_hello(from_, sender);
  EXPECT_EQ(mailbox.words->newest, 0U);
}

/// Its rings go to a pipe, and the sender, which had found its mailbox there, does not write to it.
TEST_F(PointsOfSwitches, KillOfWhoTakesItsPortAwayLeavesSendersToldThatItIsGone) {
  struct Progress {
    std::atomic<bool> is_open;
    std::atomic<bool> is_found;
  };
  const Shared<Progress> progress;
  Process dead([&] {
    auto port = open("vale:victim", of_slots(16, 1));
    progress->is_open = true;
    EXPECT_TRUE(await([&] { return progress->is_found.load(); }));
    chosen = "vale: withdrawn";
    passes = 0;
    signal_there = SIGKILL;
    points::reached = strike;
    return true;
  });
  ASSERT_TRUE(await([&] { return progress->is_open.load(); }));
  say_hello(from_, sender);
  progress->is_found = true;
  EXPECT_FALSE(dead.succeeded());
  const auto master = open("x{9", of_slots(16));
  auto slave = open("x}9");
  say_hello(from_, sender);
  const std::span slots(abi::slots_of(*slave.tx_rings()[0].raw()), 16);
  for (const abi::netmap_slot& slot : slots) EXPECT_EQ(slot.ptr, 0U);
}

/// Its port is destroyed, and names a buffer that is the pipe's.
TEST_F(PointsOfSwitches, KillInTheMiddleOfAnExchangeLeavesEachBufferInOnePlace) {
  Process dead([this] {
    auto port = open("vale:victim", of_slots(16, 1));
    auto pipe = open("x}1", small);
    auto* const own = abi::slots_of(*port.tx_rings()[0].raw());
    own[0].buf_idx = abi::slots_of(*source_.tx_rings()[0].raw())[0].buf_idx;
    return ::kill(::getpid(), SIGKILL) == 0;
  });
  EXPECT_FALSE(dead.succeeded());
  const auto port = open("vale:next", of_slots(16, 1));
  NamesOfBuffers names(path());
  names.add(port, {"vale", "next"});
  names.add(source_);
}

}  // namespace
}  // namespace netmap::embedded
