// SPDX-License-Identifier: BSD-2-Clause
//
// A pipe ring from a port to itself, and a program that uses all of the port, while the input
// writes to every word that the other side of a ring can reach. What is not the port's memory is
// out of bounds to the address sanitizer.
#include "hostile/exercise.hpp"
#include "input.hpp"

#include "device/embedded/pipe_ring.hpp"

#include <array>
#include <numeric>

namespace netmap::fuzz {
namespace {

constexpr test::Shape shape{.rx_slots = 4, .tx_slots = 4, .buffer_size = 64, .extra_buffers = 1};

/// A fake port whose syncs are those of a pipe that leads back to it.
struct Loop {
  explicit Loop(std::shared_ptr<const test::GuardedMemory> memory)
      : port(shape, std::move(memory)) {
    std::array<std::uint32_t, shape.tx_slots> buffers;
    std::iota(buffers.begin(), buffers.end(), abi::buffer_index::first_usable);
    embedded::initialise(ring, buffers.data(), 2048);
    receiver.ledger().is_raw = true;  // the port's own ledger is the fake device's
    port.hooks().tx_sync = [this] { done(sender.sync()); };
    port.hooks().rx_sync = [this] { done(receiver.sync()); };
  }
  void done(bool is_sound) {
    port.hooks().status = is_sound ? SyncStatus() : SyncStatus(errc::ring_corrupt);
    if (is_sound) return;
    sender.reset();
    receiver.reset();
  }

  test::FakePort port;
  embedded::RingWords words{};
  embedded::PipeRing ring{&port.departures().ring(), &port.arrivals().ring(), &words,
                          shape.tx_slots};
  embedded::PipeSender sender{ring};
  embedded::PipeReceiver receiver{ring};
};

std::uint64_t any_value(Input& input) {
  constexpr std::array<std::uint64_t, 12> edges{5,          0x0f,       0x10,       0x40,
                                                0x41,       0x7fff,     0xffff,     1ULL << 31,
                                                UINT32_MAX, 1ULL << 40, 1ULL << 63, UINT64_MAX};
  const auto choice = input.take<std::uint8_t>();
  if (choice < 0xe0) return choice % 14;  // slots, buffers and flags that there are
  return choice < 0xec ? edges[choice - 0xe0] : input.take<std::uint32_t>();
}

template <class Word>
void write(Word& word, std::uint64_t value) {
  detail::store(word, static_cast<Word>(value));
}

/// One write of the other side.
void strike(Loop& loop, Input& input) {
  const bool is_rx = input.flip();
  abi::netmap_ring& ring = is_rx ? *loop.ring.rx : *loop.ring.tx;
  abi::netmap_slot& slot = abi::slots_of(ring)[input.below(shape.rx_slots)];
  const auto word = input.below(16);
  const std::uint64_t value = any_value(input);
  switch (word) {
    case 0: return write(ring.head, value);
    case 1: return write(ring.cur, value);
    case 2: return write(ring.tail, value);
    case 3: return write(ring.flags, value);
    case 4: return write(slot.buf_idx, value);
    case 5: return write(slot.len, value);
    case 6: return write(slot.flags, value << 5);
    case 7: return write(slot.ptr, value);
    case 8: return write(ring.num_slots, value);
    case 9: return write(ring.nr_buf_size, value);
    case 10: return write(ring.buf_ofs, value);
    case 11: return write(ring.ts.tv_sec, value);
    case 12: loop.words.published = static_cast<std::uint32_t>(value); return;
    case 13: loop.words.returned = static_cast<std::uint32_t>(value); return;
    case 14: loop.words.tx_sleepers = value; return;
    default: loop.words.tx_wanted = static_cast<std::uint32_t>(value); return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto memory = std::make_shared<test::GuardedMemory>(test::Plan(shape).bytes);
  static const auto others = std::make_shared<test::GuardedMemory>(test::Plan(shape).bytes);
  Input input(data, size);
  Loop loop(memory);
  test::FakePort other(shape, others);
  std::uint32_t quiet = 0;  // steps until the next strike
  const auto meanwhile = [&] {
    if (quiet != 0) {
      --quiet;
    } else if (!input.done()) {
      quiet = input.below(32);
      strike(loop, input);
    }
  };
  test::Exercise exercise(loop.port.port(), other.port(), meanwhile);
  for (int steps = 0; steps != 12 && !input.done(); ++steps) {
    exercise.part(input.below(test::Exercise::parts));
  }
  return 0;
}

}  // namespace netmap::fuzz
