// SPDX-License-Identifier: BSD-2-Clause
//
// What the dead had in their hands: packets they were forwarding are forwarded by the next one,
// each once; buffers they kept are found again, and only those.
#include "embedded/support.hpp"

#include "device/embedded/state.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <set>
#include <vector>

#include <fcntl.h>

namespace netmap::embedded {
namespace {

using Repairs = InDomain;

/// Forwards until it is killed, in batches of random size.
bool forward_for_ever(Port from, Port to, Random random) {
  for (;;) {
    if (must(from.wait(Direction::rx, patience)).empty()) return false;
    if (must(to.wait(Direction::tx, patience)).empty()) return false;
    (void)must(forward(from.rx_rings()[0], to.tx_rings()[0], 1 + random.below(8)));
    must(to.sync_tx());
    must(from.sync_rx());
  }
}

TEST_F(Repairs, ForwardersLoseNothingAndSendNothingTwice) {
  auto source = open("x{1", small_rings);
  auto sink = open("x}2", small_rings);
  Random random(1);
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  for (std::uint32_t life = 1; life <= 200; ++life) {
    Process forwarder([&] { return forward_for_ever(open("x}1"), open("x{2"), Random(life)); });
    const std::uint64_t until = received + 1 + random.below(300);
    while (received < until) {
      must(source.sync_tx());
      sent = send_numbers(source.tx_rings()[0], sent, sent + 16);
      must(source.sync_tx());
      ASSERT_FALSE(must(sink.wait(Direction::rx, patience)).empty()) << "in life " << life;
      received = take_numbers(sink.rx_rings()[0], received);
      ASSERT_FALSE(HasFailure()) << "in life " << life;
    }
    forwarder.kill();
  }
}

/// Moves three packets as forward() does, and stops before what comes after `steps` steps.
void forward_halfway(Port& from, Port& to, int steps) {
  must(from.sync_rx());
  RxRing& rx = from.rx_rings()[0];
  TxRing& tx = to.tx_rings()[0];
  const auto waiting = rx.slots().begin();
  const auto room = tx.slots().begin();
  for (int moved = 0; moved != 3; ++moved) {
    if (steps-- == 0) return;
    RxSlot full = waiting[moved];
    TxSlot empty = room[moved];
    must(swap(full, empty));
  }
  if (steps-- == 0) return;
  must(tx.commit(room + 3));
  if (steps-- == 0) return;
  must(rx.release(waiting + 3));
  if (steps-- == 0) return;
  must(to.sync_tx());
}

bool have_buffers_of_their_own(const RxRing& rx, const TxRing& tx) {
  std::set<std::uint32_t> indices;
  for (const RxSlot slot : rx.slots()) indices.insert(slot.buffer_index());
  for (const TxSlot slot : tx.slots()) indices.insert(slot.buffer_index());
  return indices.size() == rx.slots().size() + tx.slots().size();
}

TEST_F(Repairs, WhatWasForwardedHalfwayIsForwardedOnce) {
  auto source = open("x{1", small_rings);
  auto sink = open("x}2", small_rings);
  for (int steps = 0; steps != 7; ++steps) {
    Shared<std::atomic<bool>> has_stopped;
    must(source.sync_tx());
    for (std::uint8_t number = 0; number != 5; ++number) {
      must(source.tx_rings()[0].send(std::array{std::byte{number}}));
    }
    must(source.sync_tx());
    Process dies([&] {
      auto from = open("x}1");
      auto to = open("x{2");
      forward_halfway(from, to, steps);
      *has_stopped = true;
      ::pause();
      return false;
    });
    ASSERT_TRUE(await([&] { return has_stopped->load(); }));
    dies.kill();
    auto from = open("x}1");
    auto to = open("x{2");
    must(from.sync_rx());
    EXPECT_TRUE(have_buffers_of_their_own(from.rx_rings()[0], to.tx_rings()[0]))
        << "after " << steps << " steps";
    (void)must(forward(from.rx_rings()[0], to.tx_rings()[0]));
    must(to.sync_tx());
    must(from.sync_rx());
    must(sink.sync_rx());
    std::vector<int> received;
    sink.rx_rings()[0].for_each(
        [&](const Packet& packet) { received.push_back(std::to_integer<int>(packet.front()[0])); });
    EXPECT_EQ(received, (std::vector{0, 1, 2, 3, 4})) << "after " << steps << " steps";
    must(sink.sync_rx());
  }
}

/// All of a port's extra buffers, full of one byte.
std::vector<Buffer> fill_buffers(Port& port, std::byte with) {
  std::vector<Buffer> buffers;
  while (port.extra_buffers() != 0) {
    buffers.push_back(must(port.take_buffer()));
    std::ranges::fill(buffers.back().bytes(), with);
  }
  return buffers;
}

/// Keeps every packet it can in an extra buffer, and waits to be killed.
bool keep_packets(Port port, std::atomic<bool>& has_kept) {
  std::vector<Buffer> kept;
  while (port.extra_buffers() != 0) {
    if (must(port.wait(Direction::rx, patience)).empty()) return false;
    for (const Packet& packet : port.rx_rings()[0].packets()) {
      if (port.extra_buffers() == 0) break;
      kept.push_back(must(port.take_buffer()));
      RxSlot slot = *packet.fragments().begin();
      must(slot.swap(kept.back()));
      must(port.rx_rings()[0].release(packet.after()));
    }
  }
  must(port.sync_rx());
  has_kept = true;
  ::pause();
  return false;
}

TEST_F(Repairs, BuffersOfTheDeadAreFoundOnceTheLivingHaveSynced) {
  auto sender = open("x{1", {.conf = small_rings.conf, .extra_buffers = 20});
  const auto held = fill_buffers(sender, std::byte{1});
  const auto memory_id = sender.info().memory_id;
  const auto sync_all = [&](Port& receiver) {
    must(sender.sync_tx());
    must(receiver.sync_rx());
  };
  std::size_t at_rest = 0;
  std::uint64_t sent = 0;
  for (int life = 0; life != 20; ++life) {
    Shared<std::atomic<bool>> has_kept;
    Process receiver([&] { return keep_packets(open("x}1", {.extra_buffers = 40}), *has_kept); });
    ASSERT_TRUE(await([&] {
      sent = send_numbers(sender.tx_rings()[0], sent, sent + 16);
      must(sender.sync_tx());
      return has_kept->load();
    }));
    receiver.kill();
    {
      auto next = open("x}1");
      const std::size_t lost = buffers(memory_id);
      sync_all(next);
      EXPECT_EQ(buffers(memory_id), lost) << "nobody looks for them in a sync";
    }
    const auto later = open("x}1");
    if (life == 0) at_rest = buffers(memory_id);
    EXPECT_EQ(buffers(memory_id), at_rest) << "after life " << life;
  }
  auto other = open("x{2", {.extra_buffers = 1000});
  const auto rest = fill_buffers(other, std::byte{2});
  for (const Buffer& buffer : held) {
    EXPECT_EQ(std::ranges::count(buffer.bytes(), std::byte{1}), std::ssize(buffer.bytes()));
  }
}

/// Whether a buffer is marked as in use, as far as the recount that runs knows.
class Marks {
 public:
  explicit Marks(const std::string& region) {
    const int file = ::open(region.c_str(), O_RDWR | O_CLOEXEC);
    void* const memory = ::mmap(nullptr, sizeof(RegionState), PROT_READ | PROT_WRITE, MAP_SHARED,
                                file, static_cast<off_t>(region_bytes));
    ::close(file);
    if (memory == MAP_FAILED) throw std::runtime_error("cannot map " + region);
    state_ = static_cast<RegionState*>(memory);
  }
  Marks(const Marks&) = delete;
  Marks& operator=(const Marks&) = delete;
  ~Marks() { ::munmap(state_, sizeof(RegionState)); }

  void forget() const {
    for (auto& seen : state_->seen) seen = 0;
  }
  [[nodiscard]] bool are_there() const {
    return std::ranges::any_of(state_->seen, [](const auto& seen) { return seen != 0; });
  }
  [[nodiscard]] bool are_wanted() const { return state_->is_recounting != 0; }

 private:
  RegionState* state_;
};

/// Then every sync marks what is in the rings, but not for ever.
TEST_F(Repairs, ThatAllHaveAnsweredCostSyncsNothingMore) {
  auto sender = open("x{1", small_rings);
  (void)Process([&] {
    const auto receiver = open("x}1", small_rings);
    return ::raise(SIGKILL) == 0;
  }).succeeded();
  auto receiver = open("x}1", small_rings);
  const Marks marks(path() + "/mem" + std::to_string(sender.info().memory_id));
  ASSERT_TRUE(marks.are_wanted());
  marks.forget();
  must(receiver.sync_rx());
  EXPECT_TRUE(marks.are_there()) << "before the sender has answered";
  for (int sync = 0; sync != 32; ++sync) {
    must(sender.sync_tx());
    must(receiver.sync_rx());
  }
  ASSERT_TRUE(marks.are_wanted()) << "nobody opens or closes a port";
  marks.forget();
  must(sender.sync_tx());
  must(receiver.sync_rx());
  EXPECT_FALSE(marks.are_there());
}

// ---- A port with bare pointers, beside which no recount can end ---------------------------------

class RepairsBesideBarePointers : public InDomain {
 protected:
  static constexpr std::size_t extra = 20;
  static inline const PortOptions with_extra{.conf = small_rings.conf, .extra_buffers = extra};

  Port bare_ = open("x{1", with_extra);
  Port taker_ = open("x}1", with_extra);
  std::uint16_t memory_id_ = taker_.info().memory_id;
  std::size_t before_ = buffers(memory_id_);
  Marks marks_{path() + "/mem" + std::to_string(memory_id_)};

  /// Lets go of what is not used any more.
  void collect() const { (void)open("x{9"); }
  void leave_a_corpse() const {
    (void)Process([&] {
      const auto dies = open("x{2", with_extra);
      return ::raise(SIGKILL) == 0;
    }).succeeded();
    collect();
  }
  void sync_often() {
    for (int sync = 0; sync != 32; ++sync) {
      (void)bare_.sync_tx();  // fails if there is a sync loop
      must(taker_.sync_rx());
    }
  }
  /// Whether ports still mark what they have, sync by sync.
  [[nodiscard]] bool is_marked() {
    sync_often();
    marks_.forget();
    (void)bare_.sync_tx();
    must(taker_.sync_rx());
    return marks_.are_there();
  }
  /// What the dead left behind is found, but only once the port with bare pointers has gone.
  void close_and_find() {
    collect();
    EXPECT_EQ(buffers(memory_id_), before_ + extra);
    close(bare_);
    EXPECT_TRUE(marks_.are_wanted());
    must(taker_.sync_rx());
    collect();
    EXPECT_EQ(buffers(memory_id_), before_ - extra);
  }
};

TEST_F(RepairsBesideBarePointers, CostSyncsNothingInTheEnd) {
  leave_a_corpse();
  (void)bare_.rx_rings()[0].raw();
  ASSERT_TRUE(marks_.are_wanted());
  EXPECT_FALSE(is_marked());
  collect();
  EXPECT_FALSE(marks_.are_wanted()) << "it is put off";
  close_and_find();
}

TEST_F(RepairsBesideBarePointers, CostNothingBesideASyncLoop) {
  leave_a_corpse();
  must(SyncLoop::attach(bare_));
  EXPECT_FALSE(is_marked());
  close_and_find();
}

TEST_F(RepairsBesideBarePointers, ThatNobodyNeedsAreNotMade) {
  (void)bare_.rx_rings()[0].raw();
  close(bare_);
  EXPECT_FALSE(marks_.are_wanted());
}

TEST_F(RepairsBesideBarePointers, OfOneWhoDiesWithThem) {
  Shared<std::atomic<bool>> is_raw;
  Process dies([&] {
    auto bare = open("x{3", with_extra);
    (void)bare.rx_rings()[0].raw();
    for (*is_raw = true;; ::usleep(0)) must(bare.sync_rx());
    return false;
  });
  ASSERT_TRUE(await([&] { return is_raw->load(); }));
  leave_a_corpse();
  ASSERT_TRUE(await([&] { return !is_marked(); }));
  collect();
  EXPECT_FALSE(marks_.are_wanted());
  dies.kill();
  collect();
  sync_often();
  collect();
  EXPECT_EQ(buffers(memory_id_), before_);
}

/// From an extra buffer of one port into one of the other.
Buffer carry_buffer(Port& from, Port& to) {
  {
    auto sent = must(from.take_buffer());
    TxSlot out = from.tx_rings()[0].slots().front();
    must(out.swap(sent));
    must(out.set_length(60));
    must(from.tx_rings()[0].commit(out.after()));
    must(from.sync_tx());
  }
  auto kept = must(to.take_buffer());
  must(to.sync_rx());
  RxSlot in = to.rx_rings()[0].slots().front();
  must(in.swap(kept));
  must(to.rx_rings()[0].release(in.after()));
  must(to.sync_rx());
  return kept;
}

/// By then the others mark nothing, and have a buffer that nobody ever marked.
TEST_F(RepairsBesideBarePointers, LeaveAloneWhatTheyPassedOn) {
  for (const bool is_put_off : {false, true}) {
    SCOPED_TRACE(is_put_off);
    leave_a_corpse();
    (void)bare_.tx_rings()[0].raw();
    sync_often();
    if (is_put_off) collect();
    auto passed = carry_buffer(bare_, taker_);
    std::ranges::fill(passed.bytes(), std::byte{1});
    close(bare_);
    must(taker_.sync_rx());
    {
      auto other = open("x{3", {.conf = {.tx_slots = 4, .rx_slots = 4}, .extra_buffers = 1000});
      const auto rest = fill_buffers(other, std::byte{2});
      EXPECT_EQ(std::ranges::count(passed.bytes(), std::byte{1}), std::ssize(passed.bytes()));
    }
    bare_ = open("x{1", with_extra);
    EXPECT_EQ(buffers(memory_id_), before_);
  }
}

}  // namespace
}  // namespace netmap::embedded
