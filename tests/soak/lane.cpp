// SPDX-License-Identifier: BSD-2-Clause
#include "soak/lane.hpp"

#include <algorithm>
#include <cstring>

namespace netmap::soak {
namespace {

constexpr std::uint64_t max_offset = 128;
constexpr std::size_t packet_size = 60;
constexpr auto moment = std::chrono::microseconds(500);

std::uint64_t word_of(std::span<const std::byte> bytes) {
  std::uint64_t word = UINT64_MAX;
  if (bytes.size() >= sizeof word) std::memcpy(&word, bytes.data(), sizeof word);
  return word;
}

}  // namespace

PortOptions LaneKind::options(std::uint32_t extra_buffers) const {
  PortOptions options{.conf = {.tx_slots = 1024, .rx_slots = 16}, .extra_buffers = extra_buffers};
  if (is_rich) options.offset = DataOffset{.initial = 64, .bits = 0, .max = max_offset};
  return options;
}

Lane::Lane(const LaneKind& kind, const Opener& opener)
    : kind_(&kind),
      source_(opener.open(kind.source, kind.options(3))),
      sink_(opener.open(kind.sink, kind.options(3))),
      spare_(must(source_.take_buffer())),
      kept_(must(sink_.take_buffer())) {}

std::size_t Lane::publish(Random& random, std::size_t limit) {
  const std::size_t count = kind_->is_rich ? publish_packets(random, limit) : publish_words(limit);
  published_ += count;
  must(source_.sync_tx());
  return count;
}

std::size_t Lane::publish_words(std::size_t limit) {
  TxRing& ring = source_.tx_rings()[0];
  const auto free = ring.slots();
  const std::size_t count = std::min(limit, free.size());
  LookAhead ahead(free);
  std::uint64_t number = published_;
  auto slot = free.begin();
  for (const auto end = slot + static_cast<std::ptrdiff_t>(count); slot != end; ++slot) {
    TxSlot to = *slot;
    if (!to.write(std::as_bytes(std::span(&number, 1))) || !to.set_length(packet_size)) {
      throw std::runtime_error("the survivor cannot write to a free slot");
    }
    ++number;
    ahead.step();
  }
  if (count != 0) must(ring.commit(slot));
  return count;
}

std::size_t Lane::publish_packets(Random& random, std::size_t limit) {
  TxRing& ring = source_.tx_rings()[0];
  std::size_t count = 0;
  for (; count != limit && !ring.slots().empty(); ++count) {
    vary(ring.slots().front(), random);
    if (!embedded::send_number(ring, published_ + count)) break;
  }
  return count;
}

/// Gives the slot another buffer, or the packet another beginning.
void Lane::vary(TxSlot slot, Random& random) {
  if (random.one_in(4)) must(slot.swap(spare_));
  if (random.one_in(4)) must(slot.set_offset(random.below(max_offset + 1)));
}

std::size_t Lane::receive(Random& random) {
  must(sink_.sync_rx());
  if (random.one_in(64)) keep_one();
  std::uint64_t next = received_;
  const bool is_rich = kind_->is_rich;
  const std::size_t count = sink_.rx_rings()[0].for_each([&](const Packet& packet) {
    if (!is_rich && packet.is_linear() && word_of(packet.front()) == next) [[likely]] {
      ++next;
      return;
    }
    expect(is_rich ? embedded::number_of(packet) : word_of(packet.front()), next);
    ++next;
  });
  received_ += count;
  return count;
}

/// Keeps the next packet, whose slot gets the one that was kept before: that one must not have
/// changed, as nobody else has its buffer.
void Lane::keep_one() {
  if (kept_number_ && word_of(kept_.bytes()) != *kept_number_) {
    throw std::runtime_error("packet " + std::to_string(*kept_number_) + " of " + kind_->sink +
                             ", which the survivor kept, was overwritten by somebody");
  }
  const auto packets = sink_.rx_rings()[0].packets(1);
  if (packets.empty()) return;
  const Packet packet = *packets.begin();
  expect(kind_->is_rich ? embedded::number_of(packet) : word_of(packet.front()), received_);
  must(packet.fragments().front().swap(kept_));
  kept_number_ = received_;
  must(sink_.rx_rings()[0].release(packet.after()));
  ++received_;
}

void Lane::expect(std::optional<std::uint64_t> number, std::uint64_t wanted) const {
  if (number == wanted) return;
  throw std::runtime_error("packet " + std::to_string(wanted) + " was to come out of " +
                           kind_->sink + ", but there came " +
                           (number ? "packet " + std::to_string(*number) : "a damaged one"));
}

void Lane::doze(Random& random) {
  if (random.one_in(2)) {
    (void)must(source_.wait(Direction::tx, moment));
  } else {
    (void)must(sink_.wait(Direction::rx, moment));
  }
}

void Lane::look_around() {
  (void)must(source_.wait(Direction::rx, moment));  // where nothing ever comes
  (void)must(sink_.wait(Direction::rx, moment));
}

}  // namespace netmap::soak
