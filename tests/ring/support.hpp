// SPDX-License-Identifier: BSD-2-Clause
//
// What the tests of rings share: which rings to try, what slots hold, where a ring stands.
#pragma once

#include "support/oracle.hpp"
#include "support/random.hpp"
#include "support/result.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace netmap::test {

inline constexpr std::uint16_t more = abi::slot_flags::more_fragments;
inline constexpr std::uint16_t changed = abi::slot_flags::buf_changed;

/// A ring's size, and where its head is at first.
struct Start {
  std::uint32_t slots;
  std::uint32_t head;
};

/// Small and large rings, from their beginning, in their middle and just before their wrap.
inline std::vector<Start> starts() {
  std::vector<Start> all;
  for (const std::uint32_t slots : {2U, 3U, 4U, 8U, 17U, 64U, 1024U}) {
    for (const std::uint32_t head : std::set{0U, slots / 2, slots - 2, slots - 1}) {
      all.push_back({slots, head});
    }
  }
  return all;
}
inline std::ostream& operator<<(std::ostream& out, const Start& start) {
  return out << start.slots << " slots from " << start.head;
}

/// What a ring's memory says of where it is.
struct Stand {
  std::uint32_t head;
  std::uint32_t cur;
  std::uint32_t tail;
  friend bool operator==(const Stand&, const Stand&) = default;
};
inline Stand stand_of(const OtherSide& side) {
  return {side.ring().head, side.ring().cur, side.ring().tail};
}
inline std::ostream& operator<<(std::ostream& out, const Stand& stand) {
  return out << "head " << stand.head << " cur " << stand.cur << " tail " << stand.tail;
}
inline void put(const OtherSide& side, const Stand& stand) {
  side.ring().head = stand.head;
  side.ring().cur = stand.cur;
  side.ring().tail = stand.tail;
}

inline Bytes copy_of(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}
inline Bytes bytes_of(const std::string& text) {
  return copy_of(std::as_bytes(std::span(text)));
}
inline Fragment fragment_of(const RxSlot& slot) {
  return {copy_of(slot.bytes()), slot.flags()};
}
inline Fragments fragments_of(const RxSlots& slots) {
  Fragments all;
  for (const RxSlot slot : slots) all.push_back(fragment_of(slot));
  return all;
}

inline void arrive(Arrivals& arrivals, const Fragment& fragment) {
  arrivals.slot_arrives(fragment.bytes, fragment.flags);
}

/// Which buffer of its region begins where `bytes` do.
inline std::uint32_t index_of(FakePort& port, std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>((bytes.data() - port.buffers().data()) /
                                    port.rx().buffer_size());
}

/// The buffers that the slots of both rings name.
inline std::vector<std::uint32_t> buffers_in_rings(FakePort& port) {
  std::vector<std::uint32_t> all;
  const auto add = [&all](const OtherSide& side) {
    for (std::uint32_t i = 0; i != side.num_slots(); ++i) all.push_back(side.slot(i).buf_idx);
  };
  add(port.arrivals());
  add(port.departures());
  return all;
}

/// `indices`, with those added that are left to take, must be every buffer of the region once.
inline void expect_each_buffer_once(FakePort& port, std::vector<std::uint32_t> indices) {
  std::vector<Buffer> left;
  while (port.port().extra_buffers() != 0) {
    left.push_back(port.port().take_buffer().value());
    indices.push_back(index_of(port, left.back().bytes()));
  }
  std::ranges::sort(indices);
  std::vector<std::uint32_t> once(port.buffers().size() / port.rx().buffer_size() -
                                  abi::buffer_index::first_usable);
  std::iota(once.begin(), once.end(), abi::buffer_index::first_usable);
  EXPECT_EQ(indices, once) << "a buffer is lost or has two owners";
}

}  // namespace netmap::test
