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

}  // namespace
}  // namespace netmap::embedded
