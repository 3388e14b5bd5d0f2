// SPDX-License-Identifier: BSD-2-Clause
//
// Packets of any fragments, sound or not, as a program sees, copies and forwards them, against what
// a list of slots says they are; and packets written piece by piece.
#include "input.hpp"

#include "support/fake_port.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace netmap::fuzz {
namespace {

using test::Bytes;
using test::FakePort;

constexpr std::uint32_t num_slots = 16;
constexpr std::uint32_t buffer_size = 64;
constexpr test::Shape shape{.rx_slots = num_slots,
                            .tx_slots = num_slots,
                            .rx_start = num_slots - 3,
                            .tx_start = num_slots - 2,
                            .buffer_size = buffer_size};
constexpr std::uint32_t last_buffer = abi::buffer_index::first_usable + 2 * num_slots - 1;

bool is_buffer(std::uint32_t index) {
  return index >= abi::buffer_index::first_usable && index <= last_buffer;
}

/// A packet as the slots say it is.
struct Model {
  std::size_t slots = 0;
  Bytes bytes;
  bool is_sound = true;
};

/// Makes `slot` anything; mostly something that can be.
void damage(abi::netmap_slot& slot, Input& input) {
  const auto kind = input.take<std::uint8_t>();
  slot.flags = (kind & 1) != 0 ? abi::slot_flags::more_fragments : std::uint16_t{0};
  slot.len = static_cast<std::uint16_t>(input.below(buffer_size + 1));
  if ((kind & 0x0e) == 0x02) slot.len = input.take<std::uint16_t>();
  if ((kind & 0x70) == 0x10) slot.buf_idx = input.below(last_buffer + 3);
  if ((kind & 0x70) == 0x20) slot.buf_idx = input.take<std::uint32_t>();
  if ((kind & 0x80) != 0) slot.flags |= static_cast<std::uint16_t>(input.take<std::uint8_t>() << 6);
}

/// Slots arrive as the input has them; yields the whole packets among them.
std::vector<Model> arrive(FakePort& port, Input& input) {
  test::Arrivals& side = port.arrivals();
  abi::netmap_ring& ring = side.ring();
  std::vector<Model> packets;
  Model packet;
  for (std::uint32_t count = input.below(num_slots); count != 0; --count) {
    abi::netmap_slot& slot = side.slot(ring.tail);
    damage(slot, input);
    if (is_buffer(slot.buf_idx) && slot.len <= buffer_size) {
      const std::byte* const bytes = side.buffer(slot.buf_idx);
      packet.bytes.insert(packet.bytes.end(), bytes, bytes + slot.len);
    } else {
      packet.is_sound = false;
    }
    ++packet.slots;
    if (!detail::has_more_fragments(slot.flags)) packets.push_back(std::exchange(packet, {}));
    ring.tail = side.after(ring.tail);
  }
  return packets;
}

std::size_t slots_of(const std::vector<Model>& packets, std::size_t count) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i != count; ++i) sum += packets[i].slots;
  return sum;
}

// ---- Looking and copying ------------------------------------------------------------------------

void look(RxRing& rx, const std::vector<Model>& packets, std::size_t limit) {
  std::size_t count = 0;
  Position end(rx.slots().begin());
  for (const Packet packet : rx.packets(limit)) {
    require(count != packets.size(), "no more packets than arrived");
    const Model& model = packets[count];
    require(packet.position() == end, "packets follow each other");
    end = packet.after();
    require(packet.fragments().size() == model.slots, "a packet has its slots");
    require(packet.size() == model.bytes.size(), "a packet has its size");
    require(packet.is_linear() == (model.slots == 1), "only packets of one slot are linear");
    Bytes into(buffer_size * num_slots);
    const auto copied = packet.copy_to(into);
    require(copied.has_value() == model.is_sound, "a packet is copied if it is sound");
    if (copied) {
      into.resize(*copied);
      require(into == model.bytes, "a packet has its bytes");
    }
    if (!model.bytes.empty()) {
      const auto cut = packet.copy_to(std::span(into).first(model.bytes.size() - 1));
      require(!cut && cut.error() == errc::packet_too_large, "a packet is never cut");
    }
    ++count;
  }
  const bool is_last = count == packets.size() || slots_of(packets, count + 1) > limit;
  require(is_last, "every whole packet is shown");
}

void receive(RxRing& rx, const std::vector<Model>& packets) {
  for (const Model& model : packets) {
    Bytes into(buffer_size * num_slots);
    const auto size = rx.receive(into);
    require(size.has_value() == model.is_sound, "a packet is received if it is sound");
    if (!size) {
      require(size.error() == errc::ring_corrupt, "its slots are the reason");
      return;
    }
    into.resize(*size);
    require(into == model.bytes, "a packet is received as it is");
  }
  Bytes into(1);
  require(rx.receive(into).error() == errc::ring_empty, "there is nothing else");
}

// ---- Sending ------------------------------------------------------------------------------------

/// Takes all that was committed; nothing if a slot of it is not sound.
std::optional<std::vector<Bytes>> depart(FakePort& port) {
  std::vector<Bytes> packets;
  Bytes packet;
  while (port.departures().waiting() != 0) {
    const auto& slot = port.departures().slot(
        (port.departures().ring().head + num_slots - port.departures().waiting()) % num_slots);
    if (!is_buffer(slot.buf_idx) || slot.len > buffer_size) return {};
    const auto sent = port.departures().take();
    packet.insert(packet.end(), sent.bytes.begin(), sent.bytes.end());
    if (!detail::has_more_fragments(sent.flags)) packets.push_back(std::exchange(packet, {}));
  }
  require(packet.empty(), "no half packet is sent");
  return packets;
}

/// Makes free slots anything; yields how many the first that can be used are.
std::size_t damage_free_slots(FakePort& port, Input& input) {
  const std::uint32_t count = input.below(num_slots);
  for (std::uint32_t i = 0; i != count; ++i) {
    damage(port.departures().slot((shape.tx_start + i) % num_slots), input);
  }
  std::size_t usable = 0;
  while (usable != num_slots - 1 &&
         is_buffer(port.departures().slot((shape.tx_start + usable) % num_slots).buf_idx)) {
    ++usable;
  }
  return usable;
}

bool are_sent(const std::vector<Bytes>& sent, const std::vector<Model>& packets) {
  return sent.size() <= packets.size() &&
         std::ranges::equal(sent, std::span(packets).first(sent.size()), {}, {}, &Model::bytes);
}

void forward_some(FakePort& from, FakePort& to, const std::vector<Model>& packets, Input& input) {
  const std::size_t usable = damage_free_slots(to, input);
  const std::size_t limit = input.flip() ? input.below(num_slots) : SIZE_MAX;
  const auto done = forward(from.rx(), to.tx(), limit);
  const std::size_t left = from.rx().slots().size();
  const auto sent = depart(to);
  if (!done) {
    const bool fits = done.error() == errc::packet_too_large;
    require(fits || done.error() == errc::ring_corrupt, "there are two reasons not to forward");
    const bool all_sound = std::ranges::all_of(packets, &Model::is_sound);
    require(fits || !all_sound || usable != num_slots - 1, "something is broken");
  } else if (sent) {
    require(sent->size() == done->packets, "what is told is what was done");
    require(done->packets <= limit, "no more than was asked");
  }
  // Slots that share a buffer change each other's bytes when packets are copied.
  if (sent && &from == &to) require(are_sent(*sent, packets), "packets are forwarded as they are");
  require(left <= num_slots - 1, "what is left is in the ring");
}

void write_some(FakePort& port, Input& input) {
  std::vector<Bytes> expected;
  Bytes next;
  bool is_whole = true;
  auto writer = port.tx().writer();
  for (int steps = 0; steps != 40 && !input.done(); ++steps) {
    const auto size = input.take<std::uint8_t>();
    const Bytes piece(size, std::byte{size});
    switch (input.below(4)) {
      case 0: is_whole &= writer.next_fragment().has_value(); break;
      case 1:
        is_whole = is_whole && writer.commit();
        if (!is_whole) {
          require(depart(port) == expected, "what is dropped is not sent");
          return;
        }
        expected.push_back(std::exchange(next, {}));
        break;
      default:
        is_whole &= writer.append(piece).has_value();
        next.insert(next.end(), piece.begin(), piece.end());
    }
  }
  require(depart(port) == expected, "packets are sent as they were written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto memory = std::make_shared<test::GuardedMemory>(test::Plan(shape).bytes);
  static const auto others = std::make_shared<test::GuardedMemory>(test::Plan(shape).bytes);
  Input input(data, size);
  FakePort port(shape, memory);
  for (std::uint32_t index = abi::buffer_index::first_usable; index <= last_buffer; ++index) {
    std::memset(port.arrivals().buffer(index), static_cast<int>(index), buffer_size);
  }
  const auto kind = input.below(4);
  if (kind == 0) return write_some(port, input), 0;
  const auto packets = arrive(port, input);
  look(port.rx(), packets, input.flip() ? input.below(num_slots) : SIZE_MAX);
  if (kind == 1) return receive(port.rx(), packets), 0;
  if (kind == 2) return forward_some(port, port, packets, input), 0;
  FakePort other(shape, others);
  return forward_some(port, other, packets, input), 0;
}

}  // namespace netmap::fuzz
