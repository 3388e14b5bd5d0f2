// SPDX-License-Identifier: BSD-2-Clause
//
// The two sides of a pipe ring over ordinary memory: against a plain queue, in two threads, and
// against a peer that writes nonsense.
#include "device/embedded/pipe_ring.hpp"

#include "embedded/support.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <vector>

namespace netmap::embedded {
namespace {

constexpr std::uint32_t first_buffer = abi::buffer_index::first_usable;

/// Zeroed memory for `slots` slots behind a ring and not a byte more.
class RingMemory {
 public:
  explicit RingMemory(std::uint32_t slots)
      : memory_(::operator new(bytes(slots), alignment)), ring_(new(memory_) abi::netmap_ring()) {
    std::uninitialized_value_construct_n(abi::slots_of(*ring_), slots);
  }
  RingMemory(const RingMemory&) = delete;
  RingMemory& operator=(const RingMemory&) = delete;
  ~RingMemory() { ::operator delete(memory_, alignment); }
  [[nodiscard]] abi::netmap_ring* ring() const { return ring_; }

 private:
  static constexpr std::align_val_t alignment{alignof(abi::netmap_ring)};
  static std::size_t bytes(std::uint32_t slots) {
    return sizeof(abi::netmap_ring) + slots * sizeof(abi::netmap_slot);
  }
  void* memory_;
  abi::netmap_ring* ring_;
};

/// A direction of a pipe whose next packet goes into slot `start`.
class OneWay {
 public:
  OneWay(std::uint32_t slots, std::uint32_t start) : tx_(slots), rx_(slots) {
    ring.num_slots = slots;
    std::vector<std::uint32_t> buffers(slots);
    std::iota(buffers.begin(), buffers.end(), first_buffer);
    initialise(ring, buffers.data(), 2048);
    words_.published = words_.returned = start;
    tx_.ring()->head = tx_.ring()->cur = start;
    tx_.ring()->tail = ring.previous(start);
    rx_.ring()->head = rx_.ring()->cur = rx_.ring()->tail = start;
  }

 private:
  RingMemory tx_;
  RingMemory rx_;
  RingWords words_{};

 public:
  PipeRing ring{tx_.ring(), rx_.ring(), &words_, 0};
};

/// A side's program, as netmap(4) lets it be written: it moves head and cur among what it owns.
class User {
 public:
  User(const PipeRing& ring, abi::netmap_ring& own) : ring_(ring), own_(own) {}

  [[nodiscard]] std::uint32_t head() const { return detail::load(own_.head); }
  [[nodiscard]] std::uint32_t owned() const {
    return ring_.distance(head(), detail::load(own_.tail));
  }
  [[nodiscard]] abi::netmap_slot& slot(std::uint32_t n) const {
    return abi::slots_of(own_)[(head() + n) % ring_.num_slots];
  }
  /// Hands over `count` slots; of those that stay, wants to hear only beyond `seen` more.
  void advance(std::uint32_t count, std::uint32_t seen = 0) {
    const std::uint32_t to = (head() + count) % ring_.num_slots;
    detail::store(own_.cur, (to + seen) % ring_.num_slots);
    detail::store(own_.head, to);
  }
  void break_head(std::uint32_t head) { detail::store(own_.head, head); }
  void break_cur(std::uint32_t cur) { detail::store(own_.cur, cur); }

 private:
  PipeRing ring_;
  abi::netmap_ring& own_;
};

/// What lies in each buffer.
using Contents = std::vector<std::uint64_t>;

/// Exchanges a slot's buffer for a spare one.
void swap_buffer(abi::netmap_slot& slot, std::uint32_t& spare) {
  detail::SlotWord word = detail::load(slot);
  std::swap(word.index, spare);
  word.flags |= abi::slot_flags::buf_changed;
  detail::store(slot, word);
}

/// How a program tells the device that it swaps: each time, or once and for all by using raw().
enum class Swaps { told, raw };

// ---- In lock step -------------------------------------------------------------------------------

/// Random moves of both sides, each checked against a queue.
class LockStep {
 public:
  LockStep(std::uint32_t slots, std::uint32_t start, Swaps swaps, std::uint64_t seed)
      : direction_(slots, start), swaps_(swaps), random_(seed) {
    sender_.emplace(ring());
    receiver_.emplace(ring());
    tell();
    const std::uint32_t spares = slots + 3;
    for (std::uint32_t i = 0; i != spares; ++i) {
      (i % 2 == 0 ? sender_spares_ : receiver_spares_).push_back(first_buffer + slots + i);
    }
    contents_.resize(first_buffer + slots + spares);
  }

  void run(int steps) {
    for (int step = 0; step != steps && !testing::Test::HasFailure(); ++step) {
      move();
      if (ring().num_slots <= 64 || step % 64 == 0) check_buffers();
    }
    EXPECT_GT(taken_, static_cast<std::uint64_t>(steps) / 80) << "it hardly went on";
  }

 private:
  struct Fragment {
    std::uint64_t number;
    bool more;
    bool swapped = false;
  };

  [[nodiscard]] const PipeRing& ring() const { return direction_.ring; }
  std::uint32_t below(std::uint64_t end) { return random_.below(end); }
  void tell() { receiver_->ledger().is_raw = swaps_ == Swaps::raw; }

  void move() {
    switch (below(20)) {
      case 0: return trade_spares();
      case 1: return replace_sender();
      case 2: return replace_receiver();
      case 3: return break_sender();
      case 4: return break_receiver();
      case 5:
      case 6: return swap_received();
      case 7:
      case 8:
      case 9:
      case 10: return fill();
      case 11:
      case 12:
      case 13: return release();
      case 14:
      case 15:
      case 16: return sync_sender();
      default: return sync_receiver();
    }
  }

  /// Writes some slots: parts of packets, whole ones, several.
  void fill() {
    const std::uint32_t count = below(tx_.owned() + 1);
    for (std::uint32_t i = 0; i != count; ++i) {
      if (fragments_left_ == 0) {
        fragments_left_ = 1 + below(4) * below(2);
        fragments_left_ = std::min(fragments_left_, std::max(1u, ring().num_slots / 2));
      }
      abi::netmap_slot& slot = tx_.slot(i);
      if (below(4) == 0 && !sender_spares_.empty()) swap_buffer(slot, sender_spares_.back());
      write(slot, {next_, --fragments_left_ != 0});
    }
    tx_.advance(count, below(tx_.owned() - count + 1));
  }

  void write(abi::netmap_slot& slot, const Fragment& fragment) {
    detail::SlotWord word = detail::load(slot);
    word.length = static_cast<std::uint16_t>(fragment.number % 2049);
    word.flags = fragment.more ? abi::slot_flags::more_fragments : 0;
    detail::store(slot, word);
    slot.ptr = contents_[word.index] = next_++;
    committed_.push_back(fragment);
  }

  void sync_sender() {
    ASSERT_TRUE(sender_->sync());
    bool is_news = false;
    for (auto last = std::ranges::find_if(committed_, [](auto& f) { return !f.more; });
         last != committed_.end();
         last = std::ranges::find_if(committed_, [](auto& f) { return !f.more; })) {
      is_news = true;
      published_.insert(published_.end(), committed_.begin(), last + 1);
      committed_.erase(committed_.begin(), last + 1);
    }
    const auto out =
        static_cast<std::uint32_t>(published_.size() + held_.size() + released_.size());
    const auto free = ring().num_slots - 1 - out - static_cast<std::uint32_t>(committed_.size());
    ASSERT_LE(tx_.owned(), free) << "more slots than are free";
    if (!is_news) {
      ASSERT_EQ(tx_.owned(), free) << "what came back was not learnt of";
    }
  }

  void sync_receiver() {
    ASSERT_TRUE(receiver_->sync());
    released_.clear();
    held_.insert(held_.end(), published_.begin(), published_.end());
    published_.clear();
    check_received();
  }

  void check_received() {
    ASSERT_EQ(rx_.owned(), held_.size());
    for (std::uint32_t i = 0; i != held_.size(); ++i) {
      const abi::netmap_slot& slot = rx_.slot(i);
      ASSERT_EQ(slot.ptr, held_[i].number);
      ASSERT_EQ(slot.len, held_[i].number % 2049);
      ASSERT_EQ(detail::load(slot).more_fragments(), held_[i].more);
      if (!held_[i].swapped) {
        ASSERT_EQ(contents_[slot.buf_idx], held_[i].number);
      }
    }
  }

  void release() {
    const std::uint32_t count = below(rx_.owned() + 1);
    released_.insert(released_.end(), held_.begin(), held_.begin() + count);
    held_.erase(held_.begin(), held_.begin() + count);
    taken_ += count;
    rx_.advance(count, below(rx_.owned() - count + 1));
  }

  void swap_received() {
    if (held_.empty() || receiver_spares_.empty()) return;
    const std::uint32_t n = below(held_.size());
    std::uint32_t& spare = receiver_spares_[below(receiver_spares_.size())];
    swap_buffer(rx_.slot(n), spare);
    held_[n].swapped = true;
    if (swaps_ == Swaps::told) receiver_->ledger().has_swapped = true;
  }

  /// Buffers also travel through other rings of the region.
  void trade_spares() {
    if (sender_spares_.empty() || receiver_spares_.empty()) return;
    std::swap(sender_spares_[below(sender_spares_.size())],
              receiver_spares_[below(receiver_spares_.size())]);
  }

  void replace_sender() { sender_.emplace(ring()); }
  void replace_receiver() {
    receiver_.emplace(ring());
    tell();
  }

  void break_sender() {
    if (tx_.owned() == ring().num_slots - 1 || below(2) == 0) {
      tx_.break_cur(ring().num_slots + below(1000));
    } else {
      const std::uint32_t beyond = tx_.owned() + 1 + below(ring().num_slots - tx_.owned() - 1);
      const std::uint32_t place = (tx_.head() + beyond) % ring().num_slots;
      if (ring().is_between(ring().words->published, place, detail::load(ring().tx->tail))) return;
      tx_.break_head(place);
    }
    ASSERT_FALSE(sender_->sync());
    sender_->reset();
    next_ -= committed_.size();
    fragments_left_ = 0;
    committed_.clear();
    ASSERT_TRUE(sender_->sync());
  }

  void break_receiver() {
    rx_.break_head(ring().num_slots + below(1000));
    ASSERT_FALSE(receiver_->sync());
    receiver_->reset();
    held_.insert(held_.begin(), released_.begin(), released_.end());
    taken_ -= released_.size();
    released_.clear();
    check_received();
  }

  /// Every buffer has one owner: a slot, or one of the spares.
  void check_buffers() {
    std::vector<std::uint32_t> all = buffers_of(ring());
    all.insert(all.end(), sender_spares_.begin(), sender_spares_.end());
    all.insert(all.end(), receiver_spares_.begin(), receiver_spares_.end());
    std::ranges::sort(all);
    std::vector<std::uint32_t> once(contents_.size() - first_buffer);
    std::iota(once.begin(), once.end(), first_buffer);
    ASSERT_EQ(all, once) << "a buffer is lost or has two owners";
  }

  OneWay direction_;
  Swaps swaps_;
  Random random_;
  std::optional<PipeSender> sender_;
  std::optional<PipeReceiver> receiver_;
  User tx_{ring(), *ring().tx};
  User rx_{ring(), *ring().rx};
  Contents contents_;
  std::vector<std::uint32_t> sender_spares_;
  std::vector<std::uint32_t> receiver_spares_;

  std::uint64_t next_ = 0;
  std::uint64_t taken_ = 0;
  std::uint32_t fragments_left_ = 0;
  std::deque<Fragment> committed_;
  std::deque<Fragment> published_;
  std::deque<Fragment> held_;
  std::deque<Fragment> released_;
};

TEST(PipeRings, KeepOrderContentAndBuffersInLockStep) {
  for (std::uint32_t slots = 2; slots <= 64; ++slots) {
    for (const Swaps swaps : {Swaps::told, Swaps::raw}) {
      SCOPED_TRACE(testing::Message() << slots << " slots, " << static_cast<int>(swaps));
      LockStep(slots, Random(slots).below(slots), swaps, slots).run(2000);
      if (HasFailure()) return;
    }
  }
}

TEST(PipeRings, KeepOrderContentAndBuffersInLargeRings) {
  for (const Swaps swaps : {Swaps::told, Swaps::raw}) LockStep(1024, 1000, swaps, 1).run(20'000);
}

TEST(PipeRings, OfOneSlotHoldNothing) {
  OneWay direction(1, 0);
  PipeSender sender(direction.ring);
  PipeReceiver receiver(direction.ring);
  EXPECT_TRUE(sender.sync());
  EXPECT_TRUE(receiver.sync());
  EXPECT_EQ(User(direction.ring, *direction.ring.tx).owned(), 0U);
  EXPECT_EQ(User(direction.ring, *direction.ring.rx).owned(), 0U);
}

// ---- In two threads -----------------------------------------------------------------------------

/// Where buffers pass from one side to the other beside the ring.
class Exchange {
 public:
  void trade(std::uint32_t& spare) {
    const std::scoped_lock only(mutex_);
    std::swap(spare, buffer_);
  }
  explicit Exchange(std::uint32_t buffer) : buffer_(buffer) {}
  [[nodiscard]] std::uint32_t buffer() const { return buffer_; }

 private:
  std::mutex mutex_;
  std::uint32_t buffer_;
};

struct TwoThreads {
  TwoThreads(std::uint32_t slots, std::uint64_t count)
      : direction(slots, slots / 3),
        fragments(count),
        contents(first_buffer + slots + 3),
        sender_spare(first_buffer + slots),
        receiver_spare(first_buffer + slots + 1),
        exchange(first_buffer + slots + 2) {}

  void send() {
    PipeSender sender(direction.ring);
    User user(direction.ring, *direction.ring.tx);
    Random random(1);
    const std::uint32_t ring_holds = direction.ring.num_slots - 1;
    std::uint32_t left = 0;  // of the packet
    for (std::uint64_t next = 0; next != fragments;) {
      const std::uint64_t room = std::min<std::uint64_t>(user.owned(), fragments - next);
      const std::uint32_t now = room == 0 ? 0 : 1 + random.below(room);
      for (std::uint32_t i = 0; i != now; ++i, ++next) {
        if (left == 0) left = std::min(1 + random.below(2) * random.below(2), ring_holds);
        abi::netmap_slot& slot = user.slot(i);
        if (random.one_in(8)) swap_buffer(slot, sender_spare);
        if (random.one_in(64)) exchange.trade(sender_spare);
        const bool more = --left != 0 && next + 1 != fragments;
        detail::SlotWord word = detail::load(slot);
        word.flags = more ? abi::slot_flags::more_fragments : 0;
        detail::store(slot, word);
        slot.ptr = contents[word.index] = next;
      }
      user.advance(now);
      if (!sender.sync()) return;
      if (now == 0) std::this_thread::yield();
      (void)sender.has_news();
    }
  }

  /// How many fragments arrived in order.
  std::uint64_t receive() {
    PipeReceiver receiver(direction.ring);
    User user(direction.ring, *direction.ring.rx);
    Random random(2);
    std::uint64_t next = 0;
    while (next != fragments && receiver.sync()) {
      const std::uint32_t owned = user.owned();
      const std::uint32_t now = random.one_in(4) ? random.below(owned + 1) : owned;
      for (std::uint32_t i = 0; i != now; ++i, ++next) {
        abi::netmap_slot& slot = user.slot(i);
        if (slot.ptr != next || contents[detail::load(slot).index] != next) return next;
        if (random.one_in(8)) {
          swap_buffer(slot, receiver_spare);
          receiver.ledger().has_swapped = true;
        }
        if (random.one_in(64)) exchange.trade(receiver_spare);
      }
      user.advance(now);
      if (now == 0) std::this_thread::yield();
      (void)receiver.free_slots();
    }
    return receiver.sync() ? next : 0;
  }

  OneWay direction;
  std::uint64_t fragments;
  Contents contents;
  std::uint32_t sender_spare;
  std::uint32_t receiver_spare;
  Exchange exchange;
};

TEST(PipeRings, KeepOrderContentAndBuffersInTwoThreads) {
  for (const std::uint32_t slots : {2U, 3U, 4U, 7U, 16U, 64U, 1024U}) {
    SCOPED_TRACE(slots);
    TwoThreads both(slots, 50'000 + 100 * slots);
    std::jthread sender([&both] { both.send(); });
    EXPECT_EQ(both.receive(), both.fragments);
    sender.join();
    std::vector<std::uint32_t> all = buffers_of(both.direction.ring);
    all.insert(all.end(), {both.sender_spare, both.receiver_spare, both.exchange.buffer()});
    std::ranges::sort(all);
    std::vector<std::uint32_t> once(slots + 3);
    std::iota(once.begin(), once.end(), first_buffer);
    EXPECT_EQ(all, once);
  }
}

// ---- Against nonsense ---------------------------------------------------------------------------

/// Overwrites what a peer can write, now and then with what could be.
class Vandal {
 public:
  Vandal(const PipeRing& ring, std::uint64_t seed) : ring_(ring), random_(seed) {}

  void strike() {
    switch (random_.below(8)) {
      case 0: ring_.words->published = any(); break;
      case 1: ring_.words->returned = any(); break;
      case 2: ring_.words->tx_wanted = any(); break;
      case 3: scribble(*ring_.tx); break;
      case 4: scribble(*ring_.rx); break;
      case 5: scribble_slot(*ring_.tx); break;
      case 6: scribble_slot(*ring_.rx); break;
      default: break;
    }
  }

 private:
  std::uint32_t any() {
    switch (random_.below(6)) {
      case 0: return static_cast<std::uint32_t>(random_.bits());
      case 1: return UINT32_MAX - random_.below(4);
      case 2: return ring_.num_slots + random_.below(3);
      default: return random_.below(ring_.num_slots);
    }
  }
  void scribble(abi::netmap_ring& ring) {
    detail::store(ring.head, any());
    detail::store(ring.cur, any());
    if (random_.one_in(4)) detail::store(ring.tail, any());
    if (random_.one_in(4)) detail::store(ring.flags, any());
  }
  void scribble_slot(abi::netmap_ring& ring) {
    const auto word = std::bit_cast<detail::SlotWord>(random_.bits());
    detail::store(abi::slots_of(ring)[random_.below(ring_.num_slots)], word);
  }

  PipeRing ring_;
  Random random_;
};

TEST(PipeRings, StayInBoundsWhateverThePeerWrites) {
  for (std::uint32_t slots = 1; slots <= 64; ++slots) {
    OneWay direction(slots, 0);
    Vandal vandal(direction.ring, slots);
    Random random(slots);
    std::optional<PipeSender> sender(direction.ring);
    std::optional<PipeReceiver> receiver(direction.ring);
    int good = 0;
    for (int i = 0; i != 5000; ++i) {
      for (auto strikes = random.below(3); strikes != 0; --strikes) vandal.strike();
      receiver->ledger().has_swapped = true;
      switch (random.below(8)) {
        case 0: sender.emplace(direction.ring); break;
        case 1: receiver.emplace(direction.ring); break;
        case 2: EXPECT_EQ(buffers_of(direction.ring).size(), slots); break;
        case 3: (void)(sender->has_news() || receiver->free_slots() != 0); break;
        case 4:
        case 5: sender->sync() ? void(++good) : sender->reset(); break;
        default: receiver->sync() ? void(++good) : receiver->reset(); break;
      }
    }
    EXPECT_GT(good, 10) << "nonsense was all that was tried";
  }
}

}  // namespace
}  // namespace netmap::embedded
