// SPDX-License-Identifier: BSD-2-Clause
//
// Rings of a port against a kernel that takes, gives back and drops frames in whatever order it
// likes: at every moment each frame is in exactly one place.
#include "support/fake_port.hpp"
#include "support/random.hpp"
#include "support/result.hpp"

#include "device/xdp/rx_queue.hpp"
#include "device/xdp/tx_queue.hpp"

#include <array>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace netmap::xdp {
namespace {

using test::must;
using test::Random;
using Buffers = std::multiset<std::uint32_t>;

constexpr test::Shape shape{.rx_slots = 8, .tx_slots = 8, .buffer_size = 2048, .extra_buffers = 3};

/// Where packets begin.
struct Way {
  const char* name;
  std::uint32_t begin;
  bool is_aligned;
  std::uint64_t mask;  ///< of data offsets
};
constexpr Way plain{"WithoutOffsets", 0, false, 0};
constexpr Way ways[] = {plain,
                        {"AtAnOffset", 100, false, UINT64_MAX},
                        {"InAlignedChunks", 256, true, 0x1ff},
                        {"FarInAlignedChunks", 320, true, 0xffff}};

/// Memory as the kernel would share it.
template <class Entry>
struct SharedRing {
  static constexpr std::uint32_t size = 8;

  std::uint32_t producer = 0xffff'fffd;  // soon wraps
  std::uint32_t consumer = 0xffff'fffd;
  std::uint32_t flags = os::xdp::need_wakeup;
  std::array<Entry, size> entries{};
  os::XdpRing ring{&producer, &consumer, &flags, entries.data(), size};

  SharedRing() = default;
  SharedRing(const SharedRing&) = delete;
  SharedRing& operator=(const SharedRing&) = delete;

  [[nodiscard]] std::uint32_t count() const { return producer - consumer; }
  Entry take() { return entries[consumer++ % size]; }
  void put(const Entry& entry) {
    ASSERT_LT(count(), size) << "the ring overflows";
    entries[producer++ % size] = entry;
  }
  template <class Use>
  void for_each(Use use) const {
    for (std::uint32_t at = consumer; at != producer; ++at) use(entries[at % size]);
  }
};

class Kernel {
 public:
  explicit Kernel(const Way& way = plain)
      : way_(way), memory_(test::Plan(shape).bytes), device_(shape, hooks_, memory_) {
    device_.tx_ring()->offset_mask = device_.rx_ring()->offset_mask = way.mask;
  }

  /// To be kicked is nothing to it, but that a message is received if there is one.
  [[nodiscard]] os::XdpSocket socket() {
    std::array<int, 2> pair{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    other_end_ = os::File(pair[1]);
    return {os::File(pair[0]), {fill.ring, completion.ring, rx.ring, tx.ring}};
  }
  /// Whether `work` has the driver refill.
  template <class Work>
  [[nodiscard]] bool was_asked(const os::XdpSocket& socket, Work&& work) const {
    EXPECT_EQ(::send(other_end_.fd(), nullptr, 0, 0), 0);
    work();
    return ::recv(socket.fd(), nullptr, 0, MSG_DONTWAIT) != 0;
  }
  [[nodiscard]] Layout layout() { return must(find_rings(memory_.region()->bytes(), 0)); }
  [[nodiscard]] Frames frames() const {
    const test::Plan plan(shape);
    return {.memory = memory_.region()->bytes(),
            .first = plan.buffers,
            .count = plan.buffer_count,
            .bytes = shape.buffer_size,
            .begin = way_.begin,
            .is_aligned = way_.is_aligned};
  }

  /// Takes frames, and gives some back.
  void work(Random& random) {
    while (fill.count() != 0 && !random.one_in(4)) idle.push_back(fill.take());
    while (tx.count() != 0 && !random.one_in(4)) under_way.push_back(tx.take().address);
    while (!idle.empty() && random.one_in(2)) {
      // A card may put something of its own in front, if it writes to the buffers itself.
      const std::uint32_t more = way_.is_aligned && random.one_in(2) ? 16 : 0;
      receive(draw(idle, random), 60, 0, more);
    }
    while (!under_way.empty() && random.one_in(2)) completion.put(draw(under_way, random));
  }
  /// Into the frame of a fill address. As Linux's xp_get_handle().
  void receive(std::uint64_t address, std::uint32_t bytes, std::uint32_t options = 0,
               std::uint32_t more = 0) {
    const std::uint64_t offset = os::xdp::headroom + frames().more_headroom() + more;
    const std::uint64_t at =
        way_.is_aligned ? address + offset : address | offset << os::xdp::offset_shift;
    begins[buffer_at(address + offset)] = way_.begin + more;
    rx.put({at, bytes, options});
  }
  /// The buffer that has the frame of a fill address, which must be all that the kernel writes to.
  [[nodiscard]] std::uint32_t filled(std::uint64_t address) const {
    const std::uint64_t first =
        address + (way_.is_aligned ? 0 : os::xdp::headroom);  // where it may write something
    const std::uint32_t buffer = buffer_at(first);
    EXPECT_EQ(buffer, buffer_at(address + frames().chunk_bytes() - 1));
    if (way_.is_aligned) {
      EXPECT_EQ(address % frames().chunk_bytes(), 0U);
    }
    return buffer;
  }
  [[nodiscard]] std::uint32_t buffer_at(std::uint64_t address) const {
    return frames().place(address).value().buffer;
  }

  [[nodiscard]] Buffers receives() const {
    Buffers buffers;
    const auto add = [&](std::uint64_t address) { buffers.insert(filled(address)); };
    fill.for_each(add);
    std::ranges::for_each(idle, add);
    rx.for_each(
        [&](const os::XdpDescriptor& packet) { buffers.insert(buffer_at(packet.address)); });
    return buffers;
  }
  [[nodiscard]] Buffers sends() const {
    Buffers buffers;
    const auto add = [&](std::uint64_t address) { buffers.insert(buffer_at(address)); };
    completion.for_each(add);
    std::ranges::for_each(under_way, add);
    tx.for_each([&](const os::XdpDescriptor& packet) { add(packet.address); });
    return buffers;
  }

  SharedRing<std::uint64_t> fill;
  SharedRing<std::uint64_t> completion;
  SharedRing<os::XdpDescriptor> rx;
  SharedRing<os::XdpDescriptor> tx;
  std::vector<std::uint64_t> idle;
  std::vector<std::uint64_t> under_way;
  std::map<std::uint32_t, std::uint64_t> begins;  ///< of what was last received, by buffer

 private:
  static std::uint64_t draw(std::vector<std::uint64_t>& from, Random& random) {
    const std::size_t at = random.below(from.size());
    std::swap(from[at], from.back());
    const std::uint64_t drawn = from.back();
    from.pop_back();
    return drawn;
  }

  Way way_;
  os::File other_end_;
  test::GuardedMemory memory_;
  std::shared_ptr<test::Hooks> hooks_ = std::make_shared<test::Hooks>();
  test::FakeDevice device_;
};

/// One ring as its user has it.
struct UserRing {
  abi::netmap_ring* ring;

  [[nodiscard]] abi::netmap_slot& slot(std::uint32_t at) const {
    return abi::slots_of(*ring)[at % ring->num_slots];
  }
  [[nodiscard]] std::uint32_t owned() const {
    return (ring->tail + ring->num_slots - ring->head) % ring->num_slots;
  }
  void advance(std::uint32_t by) const {
    ring->head = ring->cur = (ring->head + by) % ring->num_slots;
  }
  /// The buffers of the slots from `from` up to `to`.
  [[nodiscard]] Buffers buffers(std::uint32_t from, std::uint32_t to) const {
    Buffers found;
    for (std::uint32_t at = from; at % ring->num_slots != to % ring->num_slots; ++at) {
      found.insert(slot(at).buf_idx);
    }
    return found;
  }
  void add_all(Buffers& to) const {
    for (std::uint32_t at = 0; at != ring->num_slots; ++at) to.insert(slot(at).buf_idx);
  }
};

/// A port with both rings.
struct User {
  explicit User(Kernel& kernel, bool polls_busily = false)
      : socket(kernel.socket()),
        layout(kernel.layout()),
        tx{layout.tx[0].ring},
        rx{layout.rx[0].ring},
        tx_queue(layout.tx[0], kernel.frames(), socket, {true, false}),
        rx_queue(layout.rx[0], kernel.frames(), socket, polls_busily) {}

  void send(std::uint32_t slots, std::uint16_t bytes = 60) {
    for (std::uint32_t at = 0; at != slots; ++at) {
      tx.slot(tx.ring->head + at).len = bytes;
      tx.slot(tx.ring->head + at).flags = 0;
    }
    tx.advance(slots);
  }
  /// Between a slot that was received and one that is free.
  void swap() {
    if (rx.owned() == 0 || tx.owned() == 0) return;
    std::swap(rx.slot(rx.ring->head).buf_idx, tx.slot(tx.ring->head).buf_idx);
    std::swap(rx.slot(rx.ring->head).ptr, tx.slot(tx.ring->head).ptr);
  }
  void swap(std::uint32_t& extra) {
    if (rx.owned() != 0) std::swap(rx.slot(rx.ring->head).buf_idx, extra);
  }
  void sync() {
    ASSERT_TRUE(tx_queue.sync().is_ok());
    ASSERT_TRUE(rx_queue.sync().is_ok());
  }

  os::XdpSocket socket;
  Layout layout;
  UserRing tx;
  UserRing rx;
  TxQueue tx_queue;
  RxQueue rx_queue;
};

TEST(XdpQueues, HaveTheDriverWorkWhenNothingHasComeIfTheyPollBusily) {
  for (const bool polls_busily : {true, false}) {
    Kernel kernel;
    kernel.fill.flags = 0;
    User user(kernel, polls_busily);
    EXPECT_EQ(kernel.was_asked(user.socket, [&] { user.sync(); }), polls_busily);
  }
}

TEST(XdpQueues, AskForWhatTheDriverWantsToBeAskedFor) {
  Kernel kernel;
  User user(kernel);
  EXPECT_TRUE(kernel.was_asked(user.socket, [&] { user.sync(); })) << "it ran out of buffers";
  kernel.fill.flags = 0;
  EXPECT_FALSE(kernel.was_asked(user.socket, [&] { user.sync(); }));
  kernel.fill.flags = os::xdp::need_wakeup;
  EXPECT_TRUE(kernel.was_asked(user.socket, [&] {
    const RxQueue anew(user.layout.rx[0], kernel.frames(), user.socket, false);
  })) << "it has had none yet";
}

class XdpFrames : public testing::TestWithParam<Way> {};
INSTANTIATE_TEST_SUITE_P(, XdpFrames, testing::ValuesIn(ways),
                         [](const auto& way) { return way.param.name; });

TEST_P(XdpFrames, AreInOnePlaceEach) {
  Random random(5);
  Kernel kernel(GetParam());
  User user(kernel);
  std::array<std::uint32_t, shape.extra_buffers> extra{18, 19, 20};
  Buffers all;
  for (std::uint32_t index = 2; index != kernel.frames().count; ++index) all.insert(index);
  std::uint64_t received = 0;
  for (int step = 0; step != 20'000; ++step) {
    if (random.one_in(2)) user.swap();
    if (random.one_in(4)) user.swap(extra[random.below(extra.size())]);
    user.send(random.below(user.tx.owned() + 1));
    const std::uint32_t released = random.below(user.rx.owned() + 1);
    received += released;
    user.rx.advance(released);
    const std::uint32_t shown = user.rx.ring->tail;
    user.sync();
    kernel.work(random);
    user.sync();

    Buffers names(extra.begin(), extra.end());
    user.tx.add_all(names);
    user.rx.add_all(names);
    ASSERT_EQ(names, all) << "step " << step;
    const auto& [tx, rx] = std::pair(user.tx.ring, user.rx.ring);
    ASSERT_EQ(kernel.sends(), user.tx.buffers(tx->tail + 1, tx->head)) << "step " << step;
    ASSERT_EQ(kernel.receives(), user.rx.buffers(rx->tail, rx->head + 7)) << "step " << step;
    for (std::uint32_t at = shown; at != rx->tail; at = (at + 1) % rx->num_slots) {
      const auto& slot = user.rx.slot(at);
      ASSERT_EQ(slot.ptr & GetParam().mask, kernel.begins[slot.buf_idx]) << "step " << step;
    }
  }
  EXPECT_GT(received, 10'000U);
  EXPECT_EQ(user.rx_queue.ledger().stats.packets, received);
}

TEST(XdpQueues, SendWhatIsInTheSlots) {
  Kernel kernel;
  User user(kernel);
  user.send(2, 1500);
  user.sync();
  ASSERT_EQ(kernel.tx.count(), 2U);
  const auto first = kernel.tx.take();
  EXPECT_EQ(first.address, kernel.frames().address(2));
  EXPECT_EQ(first.length, 1500U);
  EXPECT_EQ(first.options, 0U);
}

TEST_P(XdpFrames, AreSentFromWhereTheSlotsSay) {
  Kernel kernel(GetParam());
  User user(kernel);
  const std::uint64_t kept = ~GetParam().mask & 0xff'0000'0000;  // is no offset
  for (const std::uint32_t offset : {0U, 40U, 500U}) {
    auto& slot = user.tx.slot(user.tx.ring->head);
    user.send(1);
    slot.ptr = kept | offset;
    user.sync();
    const auto sent = kernel.tx.take();
    const auto place = kernel.frames().place(sent.address).value();
    EXPECT_EQ(place.buffer, slot.buf_idx);
    EXPECT_EQ(place.offset, offset & GetParam().mask);
    EXPECT_EQ(sent.length, 60U);
    kernel.completion.put(sent.address);
    user.sync();
    EXPECT_EQ(user.tx.owned(), 7U) << "it is taken back whatever its offset";
  }
}

TEST(XdpQueues, SendNothingThatIsNotInItsBuffer) {
  Kernel kernel(ways[1]);
  User user(kernel);
  for (const std::uint64_t offset : {std::uint64_t{1989}, std::uint64_t{2049}, UINT64_MAX}) {
    user.send(1);
    user.tx.slot(0).ptr = offset;
    EXPECT_EQ(user.tx_queue.sync().code(), errc::ring_corrupt) << offset;
    EXPECT_EQ(kernel.tx.count(), 0U);
  }
  user.send(1);
  user.tx.slot(0).ptr = 1988;
  user.sync();
  EXPECT_EQ(kernel.tx.count(), 1U);
}

TEST(XdpQueues, BelieveNoOffset) {
  for (const Way& way : ways) {
    Kernel kernel(way);
    User user(kernel);
    const std::uint64_t buffer = kernel.frames().address(
        kernel.buffer_at(kernel.fill.take() + os::xdp::headroom + kernel.frames().more_headroom()));
    kernel.rx.put({buffer + 2000, 60, 0});
    EXPECT_EQ(user.rx_queue.sync().code(), errc::ring_corrupt) << way.name;
  }
}

TEST(XdpQueues, SayThatABufferIsAnother) {
  Kernel kernel;
  User user(kernel);
  user.send(2);
  user.sync();
  const auto first = kernel.tx.take().address;
  const auto second = kernel.tx.take().address;
  kernel.completion.put(second);
  user.sync();
  EXPECT_EQ(user.tx.slot(0).buf_idx, kernel.buffer_at(second));
  EXPECT_EQ(user.tx.slot(0).flags & abi::slot_flags::buf_changed, abi::slot_flags::buf_changed);
  kernel.completion.put(first);
  user.sync();
  EXPECT_EQ(user.tx.slot(1).buf_idx, kernel.buffer_at(first));
  EXPECT_EQ(user.tx.owned(), 7U);
}

TEST(XdpQueues, GiveFragmentsOnAndKeepUnfinishedPackets) {
  Kernel kernel;
  User user(kernel);
  user.send(3, 1000);
  user.tx.slot(0).flags = abi::slot_flags::more_fragments;
  user.tx.slot(2).flags = abi::slot_flags::more_fragments;  // and no more yet
  user.sync();
  ASSERT_EQ(kernel.tx.count(), 2U);
  EXPECT_EQ(kernel.tx.take().options, os::xdp::more_fragments);
  EXPECT_EQ(kernel.tx.take().options, 0U);
  kernel.receive(kernel.fill.take(), 2048, os::xdp::more_fragments);
  kernel.receive(kernel.fill.take(), 100);
  user.sync();
  ASSERT_EQ(user.rx.owned(), 2U);
  EXPECT_EQ(user.rx.slot(0).flags, abi::slot_flags::more_fragments);
  EXPECT_EQ(user.rx.slot(0).len, 2048);
  EXPECT_EQ(user.rx.slot(1).flags, 0);
}

TEST(XdpQueues, DropWhatIsNoPacket) {
  Kernel kernel;
  User user(kernel);
  for (const std::uint16_t bytes : {std::uint16_t{0}, std::uint16_t{13}}) {
    user.send(7, bytes);
    user.sync();
    EXPECT_EQ(kernel.tx.count(), 0U);
    EXPECT_EQ(user.tx.owned(), 7U) << "its slots are free again";
  }
}

TEST(XdpQueues, RefusePacketsOfTooManyFragments) {
  Kernel kernel;
  User user(kernel);
  TxQueue without_fragments(user.layout.tx[0], kernel.frames(), user.socket, {false, false});
  user.send(3, 1000);
  user.tx.slot(0).flags = abi::slot_flags::more_fragments;
  EXPECT_EQ(without_fragments.sync().code(), errc::packet_too_large);
  EXPECT_EQ(kernel.tx.count(), 1U) << "the packet after it is sent";
  EXPECT_TRUE(without_fragments.sync().is_ok());
}

TEST(XdpQueues, BelieveNoSlotAndNoDescriptor) {
  Kernel kernel;
  User user(kernel);
  user.send(2);
  user.tx.slot(1).buf_idx = kernel.frames().count;
  EXPECT_EQ(user.tx_queue.sync().code(), errc::ring_corrupt);
  EXPECT_EQ(user.tx.ring->head, 1U) << "what was before the broken slot has gone";
  kernel.rx.put({1, 60, 0});
  EXPECT_EQ(user.rx_queue.sync().code(), errc::ring_corrupt);
  kernel.completion.put(UINT64_MAX);
  EXPECT_EQ(user.tx_queue.sync().code(), errc::ring_corrupt);
}

}  // namespace
}  // namespace netmap::xdp
