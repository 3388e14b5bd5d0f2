// SPDX-License-Identifier: BSD-2-Clause
//
// Runs one of the loops over rings in ordinary memory and checks what it did.
//
//     bench_loops receive|send|forward unchecked|checked|api BATCH
//     bench_loops receive control BATCH
#include "api.hpp"

#include "support/fake_port.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>

namespace {

using netmap::test::OtherSide;

constexpr std::uint32_t slots = 1024;
constexpr std::uint16_t length = 64;
constexpr std::uint32_t batches = 1000;

namespace abi = netmap::abi;
static_assert(sizeof(slot) == sizeof(abi::netmap_slot) &&
              offsetof(slot, len) == offsetof(abi::netmap_slot, len) &&
              offsetof(slot, flags) == offsetof(abi::netmap_slot, flags));
static_assert(sizeof(ring) == sizeof(abi::netmap_ring) &&
              offsetof(ring, num_slots) == offsetof(abi::netmap_ring, num_slots) &&
              offsetof(ring, nr_buf_size) == offsetof(abi::netmap_ring, nr_buf_size) &&
              offsetof(ring, head) == offsetof(abi::netmap_ring, head) &&
              offsetof(ring, cur) == offsetof(abi::netmap_ring, cur) &&
              offsetof(ring, tail) == offsetof(abi::netmap_ring, tail));

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "bench_loops: %s\n", what);
  std::exit(1);
}

void expect(bool condition, const char* what) {
  if (!condition) fail(what);
}

/// What the loops are run on.
class Bench {
 public:
  explicit Bench(std::uint32_t batch)
      : batch_(batch),
        rx_(bounded(port_.arrivals())),
        tx_(bounded(port_.departures())),
        lengths_(batch, length) {
    for (std::uint64_t i = 0; i != slots; ++i) {
      auto& slot = port_.arrivals().slot(static_cast<std::uint32_t>(i));
      slot.len = length;
      std::memcpy(port_.arrivals().buffer(slot.buf_idx), &i, sizeof i);
    }
  }

  void receive(const std::string& variant) {
    const std::uint32_t from = offer(port_.arrivals());
    seen seen{};
    const int failed = variant == "unchecked" ? receive_unchecked(rx_.shared, &seen)
                       : variant == "checked" ? receive_checked(&rx_, &seen)
                       : variant == "control" ? receive_control(port_.rx(), &seen)
                                              : receive_api(port_.rx(), &seen);
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i != batch_; ++i) sum += (from + i) % slots;
    expect(failed == 0 && seen.bytes == std::uint64_t{batch_} * length && seen.sum == sum,
           "receive read something else");
    expect_taken(port_.arrivals());
  }

  void send(const std::string& variant) {
    const std::uint32_t from = offer(port_.departures());
    const std::uint64_t stamp = stamp_ += batch_;
    const int failed = variant == "unchecked" ? send_unchecked(tx_.shared, lengths_.data(), stamp)
                       : variant == "checked" ? send_checked(&tx_, lengths_.data(), stamp)
                                              : send_api(port_.tx(), lengths_.data(), stamp);
    expect(failed == 0, "send failed");
    expect_taken(port_.departures());
    for (std::uint32_t i = 0; i != batch_; ++i) {
      const auto& slot = port_.departures().slot((from + i) % slots);
      std::uint64_t sent = 0;
      std::memcpy(&sent, port_.departures().buffer(slot.buf_idx), sizeof sent);
      expect(sent == stamp + i && slot.len == length && slot.flags == 0, "send wrote another slot");
    }
  }

  void forward(const std::string& variant) {
    const std::uint32_t in = offer(port_.arrivals());
    const std::uint32_t out = offer(port_.departures());
    std::vector<std::uint32_t> full;
    std::vector<std::uint32_t> empty;
    for (std::uint32_t i = 0; i != batch_; ++i) {
      full.push_back(port_.arrivals().slot((in + i) % slots).buf_idx);
      empty.push_back(port_.departures().slot((out + i) % slots).buf_idx);
    }
    moved moved{};
    bool failed = false;
    if (variant == "api") {
      const auto done = forward_api(port_.rx(), port_.tx(), SIZE_MAX);
      failed = !done;
      if (done) moved = {done->packets, done->bytes};
    } else {
      failed =
          (variant == "checked" ? forward_checked(&rx_, &tx_, SIZE_MAX, &moved)
                                : forward_unchecked(rx_.shared, tx_.shared, SIZE_MAX, &moved)) != 0;
    }
    expect(!failed && moved.packets == batch_ && moved.bytes == std::size_t{batch_} * length,
           "forward moved something else");
    expect_taken(port_.arrivals());
    expect_taken(port_.departures());
    for (std::uint32_t i = 0; i != batch_; ++i) {
      const auto& from = port_.arrivals().slot((in + i) % slots);
      const auto& to = port_.departures().slot((out + i) % slots);
      expect(to.buf_idx == full[i] && to.len == length && to.flags == BUF_CHANGED &&
                 from.buf_idx == empty[i] && from.flags == BUF_CHANGED,
             "forward did not exchange the buffers");
    }
  }

 private:
  static bounded_ring bounded(const OtherSide& side) {
    auto* shared = reinterpret_cast<ring*>(&side.ring());
    return {shared,
            slots_of(shared),
            slots_of(shared) + slots,
            slots,
            2 * slots,
            shared->nr_buf_size,
            reinterpret_cast<char*>(side.buffer(0))};
  }

  /// Gives the user one batch of slots; yields the first.
  std::uint32_t offer(const OtherSide& side) const {
    side.ring().tail = side.after(side.ring().head, batch_);
    return side.ring().head;
  }
  void expect_taken(const OtherSide& side) const {
    expect(side.owned_by_user() == 0 && side.ring().cur == side.ring().head,
           "the batch was not handed over");
  }

  std::uint32_t batch_;
  netmap::test::FakePort port_{
      {.rx_slots = slots, .tx_slots = slots, .rx_start = 5, .tx_start = 7, .buffer_size = 2048}};
  bounded_ring rx_;
  bounded_ring tx_;
  std::vector<std::uint16_t> lengths_;
  std::uint64_t stamp_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() != 3) fail("usage: bench_loops LOOP VARIANT BATCH");
  const auto batch = static_cast<std::uint32_t>(std::stoul(words[2]));
  if (batch == 0 || batch >= slots) fail("a batch has 1 to 1023 packets");
  Bench bench(batch);
  for (std::uint32_t i = 0; i != batches; ++i) {
    if (words[0] == "receive") {
      bench.receive(words[1]);
    } else if (words[0] == "send") {
      bench.send(words[1]);
    } else {
      bench.forward(words[1]);
    }
  }
  std::printf("%llu\n", static_cast<unsigned long long>(batch) * batches);
}
