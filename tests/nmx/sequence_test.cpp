// SPDX-License-Identifier: BSD-2-Clause
//
// The checker's negative controls: whatever happens to one packet on its way is reported as
// exactly that, and as nothing else.
#include "nmx/sequence.hpp"
#include "nmx/random.hpp"
#include "nmx/sequence_report.hpp"
#include "nmx/tally.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace nmx {
namespace {

using Bytes = std::vector<std::byte>;

Header some_header(std::size_t frame_bytes) {
  HeaderBuilder builder({2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2});
  builder.set({{0x0a000001, 1000}, {0x0a010001, 2000}}, frame_bytes);
  return builder.plain();
}

Bytes next_packet(SequenceWriter& writer, std::size_t size) {
  Bytes packet(size);
  writer.begin(some_header(size), size);
  writer.put(packet);
  return packet;
}

Reading read(std::span<const std::byte> packet) {
  SequenceReader reader;
  reader.begin();
  reader.add(packet);
  return reader.finish();
}

std::vector<Bytes> stream(std::uint64_t count, std::size_t size = 64, std::uint32_t flow = 7) {
  SequenceWriter writer(flow);
  std::vector<Bytes> packets;
  for (std::uint64_t i = 0; i < count; ++i) packets.push_back(next_packet(writer, size));
  return packets;
}

SequenceCounts check(const std::vector<Bytes>& packets) {
  SequenceTally tally;
  for (const Bytes& packet : packets) tally.add(std::vector{read(packet)});
  return tally.counts();
}

constexpr std::size_t sizes[] = {shortest_numbered_frame, 60, 61, 64, 65, 66, 67, 1500, 9000};

TEST(NmxSequence, WhatIsWrittenIsReadBack) {
  for (const std::size_t size : sizes) {
    SequenceWriter writer(0x12345678);
    for (std::uint64_t number = 0; number < 20; ++number) {
      const Reading reading = read(next_packet(writer, size));
      EXPECT_EQ(reading.verdict, Verdict::intact);
      EXPECT_EQ(reading.flow, 0x12345678);
      EXPECT_EQ(reading.number, number);
    }
  }
}

TEST(NmxSequence, EveryDamagedBitIsSeenAndCountsAsOneCorruptPacket) {
  for (const std::size_t size : {shortest_numbered_frame, std::size_t{60}, std::size_t{131}}) {
    const auto good = stream(5, size);
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
      auto packets = good;
      packets[2][bit / 8] ^= std::byte{1} << (bit % 8);
      ASSERT_EQ(check(packets), (SequenceCounts{.corrupt = 1})) << size << " bytes, bit " << bit;
    }
  }
}

TEST(NmxSequence, ADamagedLastPacketIsCorruptAndNotLost) {
  for (const std::size_t byte : {0U, 43U, 63U}) {
    auto packets = stream(5);
    packets.back()[byte] ^= std::byte{0x40};
    EXPECT_EQ(check(packets), (SequenceCounts{.corrupt = 1})) << "byte " << byte;
  }
}

TEST(NmxSequence, ACutOrLengthenedPacketIsCorrupt) {
  for (const int change : {-8, -1, 1, 8}) {
    auto packets = stream(5);
    packets[2].resize(packets[2].size() + static_cast<std::size_t>(change));
    EXPECT_EQ(check(packets), (SequenceCounts{.corrupt = 1})) << change;
  }
}

TEST(NmxSequence, APacketCutBeforeItsNumberIsForeignAndItsNumberLost) {
  auto packets = stream(5);
  packets[2].resize(34);
  EXPECT_EQ(check(packets), (SequenceCounts{.lost = 1, .foreign = 1}));
}

TEST(NmxSequence, APacketMadeOfTwoIsCorrupt) {
  auto packets = stream(5, 1500);
  std::copy(packets[3].begin() + 700, packets[3].end(), packets[2].begin() + 700);
  EXPECT_EQ(check(packets), (SequenceCounts{.corrupt = 1}));
}

TEST(NmxSequence, ExchangedFragmentsAreCorrupt) {
  auto packets = stream(5, 1500);
  std::swap_ranges(packets[2].begin() + 100, packets[2].begin() + 400, packets[2].begin() + 900);
  EXPECT_EQ(check(packets), (SequenceCounts{.corrupt = 1}));
}

TEST(NmxSequence, OnePacketLost) {
  auto packets = stream(100);
  for (const std::ptrdiff_t which : {0, 1, 50}) {
    auto some = packets;
    some.erase(some.begin() + which);
    EXPECT_EQ(check(some), (SequenceCounts{.lost = 1})) << which;
  }
}

TEST(NmxSequence, OnePacketDoubled) {
  auto packets = stream(100);
  for (const std::size_t which : {0U, 50U, 99U}) {
    auto some = packets;
    some.insert(some.begin() + static_cast<std::ptrdiff_t>(which), packets[which]);
    EXPECT_EQ(check(some), (SequenceCounts{.duplicated = 1})) << which;
    some = packets;
    some.push_back(packets[which]);
    EXPECT_EQ(check(some), (SequenceCounts{.duplicated = 1})) << which;
  }
}

TEST(NmxSequence, TwoPacketsExchanged) {
  for (const std::size_t which : {0U, 50U, 98U}) {
    auto packets = stream(100);
    std::swap(packets[which], packets[which + 1]);
    EXPECT_EQ(check(packets), (SequenceCounts{.reordered = 1})) << which;
  }
}

TEST(NmxSequence, EachFaultIsCountedBesideTheOthers) {
  auto packets = stream(100);
  packets[90][42] ^= std::byte{1};
  packets[80][60] ^= std::byte{1};
  std::swap(packets[70], packets[71]);
  packets.push_back(packets[60]);
  packets.erase(packets.begin() + 20);
  EXPECT_EQ(check(packets),
            (SequenceCounts{.lost = 1, .duplicated = 1, .reordered = 1, .corrupt = 2}));
}

TEST(NmxSequence, FlowsAreCountedApart) {
  auto a = stream(50, 64, 1);
  auto b = stream(50, 64, 2);
  b.erase(b.begin() + 3);
  std::vector<Bytes> mixed;
  for (std::size_t i = 0; i < a.size(); ++i) {
    mixed.push_back(a[i]);
    if (i < b.size()) mixed.push_back(b[i]);
  }
  EXPECT_EQ(check(mixed), (SequenceCounts{.lost = 1}));
}

TEST(NmxSequence, OtherPeoplesPacketsAreForeignAndNothingElse) {
  Bytes arp(60);
  arp[12] = std::byte{0x08};
  arp[13] = std::byte{0x06};
  Bytes neighbour_discovery(86);
  neighbour_discovery[12] = std::byte{0x86};
  neighbour_discovery[13] = std::byte{0xdd};
  auto packets = stream(3);
  packets.insert(packets.begin() + 1, {arp, neighbour_discovery, Bytes(14), Bytes()});
  const auto counts = check(packets);
  EXPECT_EQ(counts, (SequenceCounts{.foreign = 4}));
  EXPECT_TRUE(counts.is_clean());
}

TEST(NmxSequence, PiecesAreReadAsTheWholeIs) {
  nmx::Random random(2);
  SequenceWriter writer(1);
  SequenceReader reader;
  for (int i = 0; i < 2000; ++i) {
    Bytes packet = next_packet(writer, random.between(58, 400));
    const bool is_damaged = random.between(0, 1) == 1;
    if (is_damaged) packet[random.between(0, 57)] ^= std::byte{0x10};
    reader.begin();
    for (std::span<const std::byte> rest = packet; !rest.empty();) {
      const std::size_t part = std::min<std::size_t>(random.between(0, 90), rest.size());
      reader.add(rest.first(part));
      rest = rest.subspan(part);
    }
    ASSERT_EQ(reader.size(), packet.size());
    ASSERT_EQ(reader.finish().verdict, is_damaged ? Verdict::unreadable : Verdict::intact);
  }
}

// ---- The window ---------------------------------------------------------------------------------

/// What SequenceWindow counts, from its definition and with all the memory in the world.
class WindowByDefinition {
 public:
  void record(std::uint64_t number) {
    if (seen_.empty() || number > *seen_.rbegin()) {
      seen_.insert(number);
    } else if (*seen_.rbegin() - number >= SequenceWindow::size || seen_.contains(number)) {
      ++duplicated;
    } else {
      seen_.insert(number);
      ++reordered;
    }
  }
  [[nodiscard]] std::uint64_t lost() const {
    return seen_.empty() ? 0 : *seen_.rbegin() + 1 - seen_.size();
  }
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;

 private:
  std::set<std::uint64_t> seen_;
};

TEST(NmxWindow, AgreesWithItsDefinition) {
  nmx::Random random(4);
  for (int run = 0; run < 50; ++run) {
    SequenceWindow window;
    WindowByDefinition oracle;
    // Near 2^32, where a number that was kept in 32 bits would wrap.
    std::uint64_t number = run % 2 == 0 ? 0 : (std::uint64_t{1} << 32) - 500;
    for (int i = 0; i < 2000; ++i) {
      switch (random.between(0, 40)) {
        case 0: number += random.between(0, 10); break;
        case 1: number -= std::min<std::uint64_t>(number, random.between(0, 20)); break;
        case 2: number += random.between(0, 2 * SequenceWindow::size); break;
        case 3:
          number -= std::min<std::uint64_t>(number, random.between(0, 2 * SequenceWindow::size));
          break;
        default: ++number;
      }
      window.record(number);
      oracle.record(number);
      ASSERT_EQ(window.lost(), oracle.lost());
      ASSERT_EQ(window.duplicated(), oracle.duplicated);
      ASSERT_EQ(window.reordered(), oracle.reordered);
    }
  }
}

TEST(NmxWindow, TheOldestNumberItKnowsIsOneWindowBack) {
  const auto late = [](std::uint64_t by) {
    SequenceWindow window;
    window.record(SequenceWindow::size + 10);
    window.record(SequenceWindow::size + 10 - by);
    return window;
  };
  EXPECT_EQ(late(SequenceWindow::size - 1).reordered(), 1);
  EXPECT_EQ(late(SequenceWindow::size).duplicated(), 1);
}

TEST(NmxTally, ManyThreadsMayShareAFlow) {
  const auto packets = stream(4000);
  SequenceTally tally;
  {
    std::vector<std::jthread> threads;
    for (std::size_t first = 0; first < 4; ++first) {
      threads.emplace_back([&, first] {
        for (std::size_t i = first; i < packets.size(); i += 4) {
          tally.add(std::vector{read(packets[i])});
        }
      });
    }
  }
  const auto counts = tally.counts();
  EXPECT_EQ(counts.lost, 0);
  EXPECT_EQ(counts.duplicated, 0);
  EXPECT_EQ(counts.corrupt, 0);
}

TEST(NmxTally, SaysWhatItCounted) {
  const SequenceCounts counts{.lost = 1, .duplicated = 2, .reordered = 3, .corrupt = 4};
  EXPECT_EQ(to_text(counts), "1 lost, 2 duplicated, 3 reordered, 4 corrupt");
  EXPECT_EQ(to_text({.foreign = 5}),
            "0 lost, 0 duplicated, 0 reordered, 0 corrupt; 5 packets were not numbered");
  EXPECT_EQ(remark(counts).json.dump(),
            R"({"lost":1,"duplicated":2,"reordered":3,"corrupt":4,"foreign":0})");
  EXPECT_EQ(remark({}).text, "");
  EXPECT_FALSE(counts.is_clean());
  EXPECT_FALSE((SequenceCounts{.lost = 1}).is_clean());
  EXPECT_FALSE((SequenceCounts{.duplicated = 1}).is_clean());
  EXPECT_FALSE((SequenceCounts{.reordered = 1}).is_clean());
  EXPECT_FALSE((SequenceCounts{.corrupt = 1}).is_clean());
}

}  // namespace
}  // namespace nmx
