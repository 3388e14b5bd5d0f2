// SPDX-License-Identifier: BSD-2-Clause
//
// Files that are cut off or have a bit turned over, anywhere: never a crash or an endless loop, and
// what was whole before the damage is shown.
#include "pcap/support.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>

namespace netmap::pcap {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class Damaged : public WithFiles, public testing::WithParamInterface<Format> {
 protected:
  /// Two small packets and one of two slots.
  [[nodiscard]] static std::vector<Record> sent() { return records({20, 33, 2060}); }
  /// What is shown of a file; `opened` is false if it could not even be opened.
  [[nodiscard]] Shown show(const Bytes& file) const {
    auto port = netmap::open("pcap:" + write(file), {.conf = {.rx_slots = 8}});
    if (!port) return {{}, port.error().code()};
    EXPECT_LE(file.size(), 4096U);
    Shown shown = read_all(*port);  // ends: each packet takes bytes of the file
    if (shown.end == errc::capture_damaged) {
      const auto again = port->sync_rx();
      EXPECT_EQ(code_of(again), errc::capture_damaged);
      EXPECT_THAT(again.error().message(), HasSubstr("the capture is damaged: "));
    }
    return shown;
  }
};

TEST_P(Damaged, CutOffAnywhere) {
  const auto all = sent();
  const auto whole = bytes_of(all);
  const Bytes file = capture(GetParam(), all);
  for (std::size_t size = 0; size != file.size(); ++size) {
    SCOPED_TRACE(size);
    const Shown shown = show({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)});
    const auto count = static_cast<std::ptrdiff_t>(shown.packets.size());
    ASSERT_LT(shown.packets.size(), whole.size());
    ASSERT_TRUE(std::equal(shown.packets.begin(), shown.packets.end(), whole.begin()));
    const bool is_between_packets =
        size == capture(GetParam(), {all.begin(), all.begin() + count}).size();
    EXPECT_EQ(shown.end, is_between_packets ? errc::end_of_capture : errc::capture_damaged);
  }
}

TEST_P(Damaged, AnyBitTurnedOver) {
  const Bytes file = capture(GetParam(), sent());
  const std::size_t all_but_the_last_packets_bytes = file.size() - 2060;
  for (std::size_t bit = 0; bit != 8 * all_but_the_last_packets_bytes; ++bit) {
    SCOPED_TRACE(bit);
    Bytes turned = file;
    turned[bit / 8] ^= std::byte{1} << bit % 8;
    const Shown shown = show(turned);
    EXPECT_LE(shown.packets.size(), 3U);
    EXPECT_TRUE(shown.end == errc::end_of_capture || shown.end == errc::capture_damaged ||
                shown.end == errc::packet_too_large || shown.end == errc::not_supported)
        << shown.end.message();
  }
}

/// The damage of one record does not reach what stands before it.
TEST_P(Damaged, WhatStandsBeforeIsShown) {
  const auto all = sent();
  Bytes file = capture(GetParam(), all);
  const std::size_t last = capture(GetParam(), {all.begin(), all.end() - 1}).size();
  std::fill(file.begin() + static_cast<std::ptrdiff_t>(last), file.end(), std::byte{0xff});
  const Shown shown = show(file);
  EXPECT_EQ(shown.packets, (std::vector<Bytes>{all[0].bytes, all[1].bytes}));
  EXPECT_EQ(shown.end, errc::capture_damaged);
}

/// The sentences of the failures among the first syncs.
std::set<std::string> sentences_of(Port port) {
  std::set<std::string> sentences;
  for (int sync = 0; sync != 64; ++sync) {
    if (auto synced = port.sync_rx(); !synced) sentences.insert(synced.error().message());
    (void)take(port.rx_rings()[0]);
  }
  return sentences;
}

TEST_P(Damaged, IsDescribedThroughFaultsAsWithout) {
  Bytes file = capture(GetParam(), sent());
  file.pop_back();
  const std::string name = "pcap:" + write(file);
  const auto bare = sentences_of(open(name));
  ASSERT_THAT(bare, UnorderedElementsAre(HasSubstr("the capture is damaged: ")));
  EXPECT_THAT(sentences_of(open(name, {.faults = Faults{.fail = 0.5}})),
              UnorderedElementsAre(*bare.begin(), EndsWith("a fault that was asked for")));
}

INSTANTIATE_TEST_SUITE_P(, Damaged, testing::ValuesIn(formats), format_name);

}  // namespace
}  // namespace netmap::pcap
