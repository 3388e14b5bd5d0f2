// SPDX-License-Identifier: BSD-2-Clause
//
// A mailbox and the receiver that empties it, over ordinary memory: against a plain queue, with
// senders that hold what they claimed or die with it, and with senders in threads.
#include "device/embedded/mailbox.hpp"
#include "device/embedded/vale_receiver.hpp"

#include "embedded/support.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace netmap::embedded {
namespace {

/// A packet of some fragments, each of which says all of this.
struct Letter {
  std::uint32_t sender;
  std::uint32_t number;
  std::uint32_t fragments;
  std::uint32_t fragment;

  friend bool operator==(const Letter&, const Letter&) = default;
};

/// An rx ring with its mailbox, and the buffers of both.
class MailboxMemory {
  static constexpr std::uint32_t most_slots = 256;
  struct RingObject {
    abi::netmap_ring ring;
    abi::netmap_slot slots[most_slots];
  };

  std::unique_ptr<RingObject> ring_ = std::make_unique<RingObject>();
  std::unique_ptr<RingObject> mailbox_ring_ = std::make_unique<RingObject>();
  std::vector<std::byte> buffers_;
  RingWords ring_words_{};
  MailboxWords words_{};

 public:
  std::unique_ptr<DomainState> state;
  const Mailbox mailbox;

  static constexpr std::uint32_t buffer_bytes = 64;
  static constexpr std::uint32_t taker = max_endpoints - 1;

  explicit MailboxMemory(std::uint32_t size)
      : state(std::make_unique<DomainState>()),
        mailbox{&words_, cells_of(mailbox_ring_), size, area(size)} {
    std::uint32_t next = abi::buffer_index::first_usable;
    for (std::uint32_t i = 0; i != size; ++i) slots()[i].buf_idx = next++;
    for (std::uint32_t i = 0; i != size; ++i) mailbox.cells[i].buffer = next++;
    mailbox.reset();
    ring().num_slots = size;
    ring().nr_buf_size = buffer_bytes;
  }

  [[nodiscard]] ValeReceiver receiver() {
    const RingPlace place{&ring(), {{slots(), mailbox.size}, mailbox.buffers, {}}, 0, false};
    state->endpoints[taker].in_use = 1;
    return {place, ring_words_, mailbox, owner::of(taker, 0), ValeReceiver::Unit::packet};
  }
  /// The program takes up to so many whole packets, of which `use(letter)` is told each.
  template <class Use>
  void take(std::size_t limit, Use&& use) {
    std::uint32_t at = ring().head;
    for (; at != ring().tail && limit != 0; --limit) {
      const Letter letter = letter_in(at);
      for (std::uint32_t i = 0; i != letter.fragments; ++i, at = mailbox.next(at)) {
        ASSERT_NE(at, ring().tail) << "part of a packet";
        EXPECT_EQ(letter_in(at), (Letter{letter.sender, letter.number, letter.fragments, i}));
        EXPECT_EQ((slots()[at].flags & abi::slot_flags::more_fragments) != 0,
                  i + 1 != letter.fragments);
      }
      use(letter);
    }
    ring().cur = ring().head = at;
  }
  /// Each is one, and all are there.
  void expect_each_buffer_in_one_place() {
    std::set<std::uint32_t> names;
    for (std::uint32_t i = 0; i != mailbox.size; ++i) {
      names.insert(slots()[i].buf_idx);
      names.insert(mailbox.cells[i].buffer);
    }
    EXPECT_EQ(names.size(), 2 * mailbox.size);
  }
  [[nodiscard]] std::size_t empty_cells() const {
    return static_cast<std::size_t>(
        std::count_if(mailbox.cells, mailbox.cells + mailbox.size,
                      [](const Cell& cell) { return cell.owner == owner::nobody; }));
  }

 private:
  [[nodiscard]] abi::netmap_ring& ring() { return ring_->ring; }
  [[nodiscard]] abi::netmap_slot* slots() { return abi::slots_of(ring_->ring); }
  static Cell* cells_of(const std::unique_ptr<RingObject>& object) {
    return reinterpret_cast<Cell*>(abi::slots_of(object->ring));
  }
  detail::BufferArea area(std::uint32_t size) {
    buffers_.resize((abi::buffer_index::first_usable + 2 * std::size_t{size}) * buffer_bytes);
    return {buffers_.data(), 2 * size, buffer_bytes, 2 * size};
  }
  [[nodiscard]] Letter letter_in(std::uint32_t slot) {
    Letter letter{};
    EXPECT_EQ(slots()[slot].len, sizeof letter);
    std::memcpy(&letter, mailbox.buffers.buffer(slots()[slot].buf_idx).data(), sizeof letter);
    return letter;
  }
};

/// Somebody who has port `number` of the switch open.
class Sender {
 public:
  Sender(const MailboxMemory& memory, std::uint32_t number) : memory_(memory), number_(number) {
    record().in_use = 1;
  }
  [[nodiscard]] std::size_t held() const { return held_.size(); }
  [[nodiscard]] const std::vector<std::uint16_t>& cells() const { return held_; }

  void claim(std::size_t count) {
    std::vector<std::uint16_t> cells(count);
    cells.resize(memory_.mailbox.claim(owner::of(number_, record().epoch), cells));
    held_.insert(held_.end(), cells.begin(), cells.end());
  }
  void give_back() {
    memory_.mailbox.give_back(held_);
    held_.clear();
  }
  /// Writes packets into what is held, as many as fit, and puts them in.
  template <class Use>
  void put(Random& random, Use&& use) {
    std::size_t used = 0;
    for (std::uint32_t fragments = 0; used != held_.size(); used += fragments) {
      fragments = 1 + random.below(std::min<std::size_t>(5, held_.size() - used));
      for (std::uint32_t i = 0; i != fragments; ++i) {
        write(held_[used + i], {number_, next_, fragments, i});
      }
      use(Letter{number_, next_++, fragments, 0});
    }
    if (used != 0) memory_.mailbox.put(held_);
    held_.clear();
  }
  /// Another has its record from now on.
  void die() {
    held_.clear();
    ++record().epoch;
    ++memory_.mailbox.words->deaths;
  }

 private:
  [[nodiscard]] EndpointRecord& record() const { return memory_.state->endpoints[number_]; }
  void write(std::uint16_t number, const Letter& letter) const {
    Cell& cell = memory_.mailbox.cells[number];
    std::memcpy(memory_.mailbox.room_in(cell).data(), &letter, sizeof letter);
    const bool has_more = letter.fragment + 1 != letter.fragments;
    detail::store(cell.length, static_cast<std::uint16_t>(sizeof letter));
    detail::store(cell.flags,
                  static_cast<std::uint16_t>(letter.fragments << abi::slot_flags::port_shift |
                                             (has_more ? abi::slot_flags::more_fragments : 0U)));
  }

  const MailboxMemory& memory_;
  std::uint32_t number_;
  std::uint32_t next_ = 0;
  std::vector<std::uint16_t> held_;
};

/// Random steps of some senders and of two who have the ring open, in turns.
class RandomSteps {
 public:
  explicit RandomSteps(std::uint64_t seed) : random_(seed), memory_(4 + random_.below(60)) {
    for (std::uint32_t number = 0; number != 4; ++number) senders_.emplace_back(memory_, number);
    for (int n = 0; n != 2; ++n) receivers_.push_back(memory_.receiver());
  }
  void step() {
    Sender& sender = senders_[random_.below(senders_.size())];
    switch (random_.below(8)) {
      case 0:
      case 1: sender.claim(1 + random_.below(memory_.mailbox.size / 2)); break;
      case 2:
      case 3: sender.put(random_, [this](const Letter& letter) { sent_.push_back(letter); }); break;
      case 4: sender.give_back(); break;
      case 5:
        if (random_.one_in(8)) sender.die();
        break;
      default: receive(random_.below(20));
    }
    expect_each_claim_has_one_owner();
    memory_.expect_each_buffer_in_one_place();
  }
  /// Those that live put in what they have; then all is received, and all cells but one are empty.
  void finish() {
    for (Sender& sender : senders_) {
      sender.put(random_, [this](const Letter& letter) { sent_.push_back(letter); });
    }
    for (std::size_t left = sent_.size() + 2; left != 0; --left) receive(SIZE_MAX);
    EXPECT_TRUE(sent_.empty());
    for (ValeReceiver& receiver : receivers_) EXPECT_TRUE(receiver.sync(*memory_.state).is_ok());
    EXPECT_EQ(memory_.empty_cells(), memory_.mailbox.size - 1);
    memory_.expect_each_buffer_in_one_place();
  }
  [[nodiscard]] std::size_t received() const { return received_; }

 private:
  void receive(std::size_t limit) {
    ValeReceiver& receiver = receivers_[random_.below(receivers_.size())];
    ASSERT_TRUE(receiver.sync(*memory_.state).is_ok());
    memory_.take(limit, [this](const Letter& letter) {
      ASSERT_FALSE(sent_.empty());
      EXPECT_EQ(letter, sent_.front());
      sent_.pop_front();
      ++received_;
    });
  }
  void expect_each_claim_has_one_owner() {
    std::set<std::uint16_t> claimed;
    for (const Sender& sender : senders_) {
      for (const std::uint16_t cell : sender.cells()) {
        EXPECT_TRUE(claimed.insert(cell).second) << "cell " << cell;
      }
    }
  }

  Random random_;
  MailboxMemory memory_;
  std::vector<Sender> senders_;
  std::vector<ValeReceiver> receivers_;
  std::deque<Letter> sent_;
  std::size_t received_ = 0;
};

TEST(Mailbox, GivesWhatIsPutInWholeAndInOrderWhoeverDiesOrWaits) {
  std::size_t received = 0;
  for (std::uint64_t seed = 0; seed != 30; ++seed) {
    SCOPED_TRACE(seed);
    RandomSteps steps(seed);
    for (int n = 0; n != 1000 && !testing::Test::HasFailure(); ++n) steps.step();
    steps.finish();
    received += steps.received();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  EXPECT_GT(received, 8'000U);
}

TEST(Mailbox, KeepsWhatAStoppedSenderClaimedAndNoMore) {
  MailboxMemory memory(16);
  ValeReceiver receiver = memory.receiver();
  Sender stopped(memory, 0);
  Sender other(memory, 1);
  stopped.claim(4);
  Random random(1);
  for (int turn = 0; turn != 100; ++turn) {
    std::size_t received = 0;
    other.claim(16);
    EXPECT_EQ(other.held(), 11U) << "one is the mailbox's own";
    std::size_t sent = 0;
    other.put(random, [&](const Letter&) { ++sent; });
    ASSERT_TRUE(receiver.sync(*memory.state).is_ok());
    memory.take(SIZE_MAX, [&](const Letter&) { ++received; });
    EXPECT_EQ(received, sent);
    ASSERT_TRUE(receiver.sync(*memory.state).is_ok());
  }
  stopped.die();
  ASSERT_TRUE(receiver.sync(*memory.state).is_ok());
  EXPECT_EQ(memory.empty_cells(), 15U);
}

/// Every packet arrives once and in order per sender, or is counted.
TEST(Mailbox, TakesFromManyThreadsAtATime) {
  constexpr std::uint32_t senders = 4;
  constexpr std::uint32_t batches = 1'000;
  MailboxMemory memory(64);
  ValeReceiver receiver = memory.receiver();
  std::atomic<std::uint32_t> at_work = senders;
  std::vector<std::uint32_t> sent(senders);
  std::vector<std::thread> threads;
  for (std::uint32_t number = 0; number != senders; ++number) {
    threads.emplace_back([&, number] {
      Sender sender(memory, number);
      Random random(number);
      for (std::uint32_t batch = 0; batch != batches; ++batch) {
        sender.claim(1 + random.below(16));
        if (sender.held() == 0) std::this_thread::yield();
        if (random.one_in(16)) sender.give_back();
        sender.put(random, [&](const Letter&) { ++sent[number]; });
      }
      --at_work;
    });
  }
  std::vector<std::uint32_t> next(senders);
  const auto take = [&] {
    EXPECT_TRUE(receiver.sync(*memory.state).is_ok());
    std::size_t taken = 0;
    memory.take(SIZE_MAX, [&](const Letter& letter) {
      EXPECT_EQ(letter.number, next.at(letter.sender)++);
      ++taken;
    });
    return taken;
  };
  while (at_work != 0 && !HasFailure()) (void)take();
  for (std::thread& thread : threads) thread.join();
  while (take() != 0) {
  }
  EXPECT_EQ(next, sent);
  EXPECT_TRUE(receiver.sync(*memory.state).is_ok());
  EXPECT_EQ(memory.empty_cells(), memory.mailbox.size - 1);
  memory.expect_each_buffer_in_one_place();
}

}  // namespace
}  // namespace netmap::embedded
