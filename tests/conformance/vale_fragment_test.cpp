// SPDX-License-Identifier: BSD-2-Clause
//
// What the slots of VALE ports say: packets of several, lengths that do not fit, and payload that
// lies elsewhere.
#include "conformance/vale.hpp"

#include <algorithm>
#include <array>
#include <ostream>

#include <sys/mman.h>

namespace netmap::conformance {
namespace {

using ValeFragments = OnSwitch;
ON_EVERY_DEVICE(ValeFragments);

/// Flags and slots as the program writes them, which ports with faults do not hand on.
class ValeSlots : public OnSwitch {
 protected:
  /// Writes one slot after the other, commits them and syncs.
  static void send(Port& port, const std::vector<std::pair<std::size_t, std::uint16_t>>& parts) {
    TxRing& tx = port.tx_rings()[0];
    auto slot = tx.slots().begin();
    for (const auto& [bytes, flags] : parts) {
      must((*slot).write(std::vector(bytes, std::byte{0xff}), flags));
      ++slot;
    }
    must(tx.commit(slot));
    must(port.sync_tx());
    EXPECT_EQ(tx.pending(), 0U);
  }
  /// Of each slot that arrived its length, count of fragments, and whether more follow.
  struct Seen {
    std::size_t bytes;
    unsigned count;
    bool more;
    friend bool operator==(const Seen&, const Seen&) = default;
    friend void PrintTo(const Seen& seen, std::ostream* out) {
      *out << seen.bytes << " bytes of " << seen.count << (seen.more ? " …" : "");
    }
  };
  static std::vector<Seen> look(Port& port) {
    must(port.sync_rx());
    std::vector<Seen> seen;
    RxRing& rx = port.rx_rings()[0];
    for (const RxSlot slot : rx.slots()) {
      EXPECT_EQ(slot.flags() & ~(abi::slot_flags::port_mask | abi::slot_flags::more_fragments), 0);
      seen.push_back({slot.length(), abi::fragment_count(*slot.raw()), slot.more_fragments()});
    }
    must(rx.release(rx.slots().end()));
    must(port.sync_rx());
    return seen;
  }
};
ON_EVERY_BARE_DEVICE(ValeSlots);

constexpr std::uint16_t more = abi::slot_flags::more_fragments;

// ---- Packets of several slots -------------------------------------------------------------------

TEST_P(ValeFragments, AreCountedInEachOfThem) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  must(a.tx_rings()[0].send(frame(1, 1, broadcast, 9000)));
  must(a.tx_rings()[0].send(frame(2, 1)));
  must(a.sync_tx());
  must(b.sync_rx());
  const auto slots = b.rx_rings()[0].slots();
  ASSERT_EQ(slots.size(), 6U);
  for (std::size_t i = 0; i != 6; ++i) {
    EXPECT_EQ(abi::fragment_count(*slots[i].raw()), i < 5 ? 5U : 1U) << i;
    EXPECT_EQ(slots[i].more_fragments(), i < 4) << i;
  }
  EXPECT_EQ(take(b), (std::vector<std::uint32_t>{1, 2}));
}

TEST_P(ValeFragments, ComeToEveryReceiver) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port c = open(port_name("c"));
  for (std::uint32_t number = 0; number != 50; ++number) {
    must(a.tx_rings()[0].send(frame(number, 1, broadcast, 60 + number * 120)));
  }
  must(a.sync_tx());
  EXPECT_EQ(take(b), numbers(0, 50));
  EXPECT_EQ(take(c), numbers(0, 50));
}

TEST_P(ValeFragments, AreAtMostSixtyFour) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  must(a.tx_rings()[0].send(frame(1, 1, broadcast, std::size_t{64} * 2048)));
  must(a.sync_tx());
  must(b.sync_rx());
  const auto slots = b.rx_rings()[0].slots();
  ASSERT_EQ(slots.size(), 64U);
  EXPECT_EQ(abi::fragment_count(*slots[0].raw()), 64U);
  EXPECT_EQ(abi::fragment_count(*slots[63].raw()), 64U);
  EXPECT_EQ(take(b), numbers(1, 1));
}

TEST_P(ValeSlots, OfAPacketThatWasCutByTheHeadEndThere) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  send(a, {{60, 0}, {2048, more}, {100, more}});
  EXPECT_EQ(look(b), (std::vector<Seen>{{60, 1, false}, {2048, 2, true}, {100, 2, false}}));
  send(a, {{70, more}, {80, 0}});
  EXPECT_EQ(look(b), (std::vector<Seen>{{70, 2, true}, {80, 2, false}})) << "a packet of its own";
  send(a, {{90, more}});
  EXPECT_EQ(look(b), (std::vector<Seen>{{90, 1, false}}));
}

TEST_P(ValeSlots, MayBeEmptyAndOfAnyLength) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  send(a, {{14, more}, {0, more}, {1, more}, {2048, more}, {0, 0}});
  EXPECT_EQ(look(b),
            (std::vector<Seen>{
                {14, 5, true}, {0, 5, true}, {1, 5, true}, {2048, 5, true}, {0, 5, false}}));
}

TEST_P(ValeSlots, HaveTheWholeHeaderInTheFirst) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  send(a, {{13, more}, {100, 0}, {60, 0}});
  EXPECT_EQ(look(b), (std::vector<Seen>{{60, 1, false}}));
}

TEST_P(ValeSlots, WithoutRoomForAPacketTakeNothingThatFollowsItInTheSync) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"), {.conf = {.rx_slots = 8}});
  send(a, {{60, 0},
           {70, more},
           {70, more},
           {70, more},
           {70, 0},
           {80, more},
           {80, more},
           {80, 0},
           {90, 0}});
  send(a, {{100, 0}});
  EXPECT_EQ(look(b), (std::vector<Seen>{{60, 1, false},
                                        {70, 4, true},
                                        {70, 4, true},
                                        {70, 4, true},
                                        {70, 4, false},
                                        {100, 1, false}}));
}

TEST_P(ValeSlots, KeepTheirFlagsButThatOfAChangedBuffer) {
  namespace flags = abi::slot_flags;
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  constexpr std::uint16_t all = flags::buf_changed | flags::report | flags::no_learn | 0x700;
  send(a, {{60, all}});
  EXPECT_EQ(abi::slots_of(*a.tx_rings()[0].raw())[0].flags, all & ~flags::buf_changed);
  EXPECT_EQ(look(b), (std::vector<Seen>{{60, 1, false}})) << "nothing of them travels";
}

// ---- Lengths that do not fit --------------------------------------------------------------------

TEST_P(ValeSlots, LongerThanTheirBuffersAreEmpty) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  TxRing& tx = a.tx_rings()[0];
  const auto break_slot = [&](std::size_t slot) { tx.slots()[slot].raw()->len = 2049; };
  auto slot = tx.slots().begin();
  for (const std::uint16_t flags : {std::uint16_t{0}, more, std::uint16_t{0}}) {
    must((*slot).write(std::vector(60, std::byte{0xff}), flags));
    ++slot;
  }
  break_slot(0);
  break_slot(2);
  must(tx.commit(slot));
  must(a.sync_tx());
  EXPECT_EQ(look(b), (std::vector<Seen>{{60, 2, true}, {0, 2, false}}))
      << "the first is too short then";
}

/// Memory whose buffers are smaller than what others send.
class SmallBuffers {
 public:
  SmallBuffers()
      : base_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (base_ == MAP_FAILED) throw std::bad_alloc();
  }
  SmallBuffers(const SmallBuffers&) = delete;
  SmallBuffers& operator=(const SmallBuffers&) = delete;
  ~SmallBuffers() { ::munmap(base_, bytes); }
  [[nodiscard]] PortOptions options() const {
    const PoolConf pools{
        .if_num = 8, .ring_num = 24, .ring_size = 4096, .buf_num = 600, .buf_size = 512};
    return {.conf = {.tx_slots = 64, .rx_slots = 64},
            .extmem = ExternalRange{{static_cast<std::byte*>(base_), bytes}, pools}};
  }

 private:
  static constexpr std::size_t bytes = std::size_t{1} << 20;
  void* base_;
};

TEST_P(ValeSlots, LargerThanTheReceiversBuffersArriveEmpty) {
  OPEN_OR_END(a, port_name("a"));
  const SmallBuffers memory;
  auto small = try_open(port_name("b"), memory.options());
  if (refused(small)) return;
  if (code_of(small) == std::errc::operation_not_supported) {
    GTEST_SKIP() << "the module was built without external memory";
  }
  Port b = must(std::move(small));
  ASSERT_EQ(b.rx_rings()[0].buffer_size(), 512U);
  Port c = open(port_name("c"));
  send(a, {{512, 0}, {513, 0}, {60, more}, {2048, more}, {70, 0}, {80, 0}});
  EXPECT_EQ(look(b), (std::vector<Seen>{{512, 1, false},
                                        {0, 1, false},
                                        {60, 3, true},
                                        {0, 3, true},
                                        {70, 3, false},
                                        {80, 1, false}}));
  EXPECT_EQ(look(c).size(), 6U);
}

// ---- Payload elsewhere --------------------------------------------------------------------------

/// Makes the next slot one whose payload is `bytes`, and sends it.
void send_indirect(Port& port, std::span<const std::byte> bytes) {
  TxRing& tx = port.tx_rings()[0];
  abi::netmap_slot& slot = *tx.slots().front().raw();
  slot.len = static_cast<std::uint16_t>(bytes.size());
  slot.flags = abi::slot_flags::indirect;
  slot.ptr = reinterpret_cast<std::uintptr_t>(bytes.data());
  must(tx.commit(tx.slots().front().after()));
  must(port.sync_tx());
  EXPECT_EQ(tx.pending(), 0U);
}

TEST_P(ValeSlots, ThatPointToTheirPayloadSendIt) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port c = open(port_name("c"));
  for (const std::size_t size : {60U, 61U, 1500U, 2048U}) {
    alignas(64) std::array<std::byte, 2048> payload;
    std::ranges::copy(frame(7, 1, broadcast, size), payload.begin());
    send_indirect(a, std::span(payload).first(size));
    for (Port* const port : {&b, &c}) {
      must(port->sync_rx());
      ASSERT_EQ(port->rx_rings()[0].slots().size(), 1U);
      EXPECT_EQ(port->rx_rings()[0].slots()[0].length(), size);
      EXPECT_EQ(port->rx_rings()[0].slots()[0].flags(), 1U << abi::slot_flags::port_shift);
      EXPECT_EQ(take(*port), numbers(7, 1)) << size << " bytes";
    }
  }
}

TEST_P(ValeSlots, MayPointAnywhere) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  alignas(64) std::array<std::byte, 2048> memory;
  for (std::size_t start = 1; start != 64; ++start) {
    const auto packet = frame(static_cast<std::uint32_t>(start), 1, broadcast, 1500);
    std::ranges::copy(packet, memory.begin() + static_cast<std::ptrdiff_t>(start));
    send_indirect(a, std::span(memory).subspan(start, packet.size()));
    EXPECT_EQ(take(b), numbers(static_cast<std::uint32_t>(start), 1)) << start << " bytes in";
  }
}

TEST_P(ValeSlots, AreLearntFromWhereTheyPoint) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port c = open(port_name("c"));
  send_indirect(a, frame(0, 1));
  EXPECT_EQ(take(c), numbers(0, 1));
  send_frames(b, 0, 1, 1, 2, 1);
  EXPECT_EQ(take(a), numbers(1, 1));
  EXPECT_TRUE(take(c).empty());
}

TEST_P(ValeSlots, ThatPointNowhereOrTooFarSendNothing) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  const std::vector<std::byte> large(4096, std::byte{0xff});
  send_indirect(a, {static_cast<const std::byte*>(nullptr), 60});
  send_indirect(a, std::span(large).first(2049));  // more than the slot's buffer could hold
  EXPECT_TRUE(look(b).empty());
  send_indirect(a, std::span(large).first(2000));
  EXPECT_EQ(look(b).size(), 1U);
}

}  // namespace
}  // namespace netmap::conformance
