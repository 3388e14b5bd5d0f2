// SPDX-License-Identifier: BSD-2-Clause
#include "device/private_region.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace netmap {
namespace {

constexpr std::uint64_t page = 4096;

constexpr std::uint64_t align(std::uint64_t bytes, std::uint64_t to) {
  return (bytes + to - 1) / to * to;
}

std::uint64_t ring_bytes(const RingShape& ring) {
  return align(sizeof(abi::netmap_ring) + ring.slots * sizeof(abi::netmap_slot), abi::cache_align);
}

std::uint32_t count_slots(const PrivateShape& shape) {
  std::uint32_t sum = 0;
  for (const auto* rings : {&shape.tx, &shape.rx}) {
    for (const RingShape& ring : *rings) sum += ring.slots;
  }
  return sum;
}

/// Lays rings and buffers out, one behind the other.
class Builder {
 public:
  explicit Builder(const PrivateShape& shape) : shape_(shape) {
    const std::uint64_t entries = std::uint64_t{shape.conf.tx_rings} + shape.conf.rx_rings +
                                  host_rings(shape.conf.host_tx_rings) +
                                  host_rings(shape.conf.host_rx_rings);
    rings_ = align(sizeof(abi::netmap_if) + entries * sizeof(std::int64_t), abi::cache_align);
    buffers_ = rings_;
    for (const RingShape& ring : shape.tx) buffers_ += ring_bytes(ring);
    for (const RingShape& ring : shape.rx) buffers_ += ring_bytes(ring);
    buffers_ = align(buffers_, page);
  }

  [[nodiscard]] std::uint64_t bytes() const {
    const std::uint64_t buffers =
        abi::buffer_index::first_usable + count_slots(shape_) + shape_.extra_buffers;
    return align(buffers_ + buffers * shape_.buffer_bytes, page);
  }

  void build(std::byte* base) {
    base_ = base;
    auto& interface = *reinterpret_cast<abi::netmap_if*>(base);
    shape_.name.copy(interface.ni_name, sizeof interface.ni_name - 1);
    interface.ni_flags = abi::if_flags::priv_mem;
    interface.ni_tx_rings = shape_.conf.tx_rings;
    interface.ni_rx_rings = shape_.conf.rx_rings;
    interface.ni_host_tx_rings = host_rings(shape_.conf.host_tx_rings);
    interface.ni_host_rx_rings = host_rings(shape_.conf.host_rx_rings);
    std::int64_t* offsets = abi::ring_offsets_of(interface);
    for (const RingShape& ring : shape_.tx) {
      offsets[ring.index + (ring.is_host ? interface.ni_tx_rings : 0)] = add_ring(ring, true);
    }
    offsets += interface.ni_tx_rings + interface.ni_host_tx_rings;
    for (const RingShape& ring : shape_.rx) {
      offsets[ring.index + (ring.is_host ? interface.ni_rx_rings : 0)] = add_ring(ring, false);
    }
    for (std::uint32_t i = 0; i != shape_.extra_buffers; ++i) {
      std::memcpy(base + buffers_ + std::uint64_t{next_buffer_} * shape_.buffer_bytes,
                  &interface.ni_bufs_head, sizeof interface.ni_bufs_head);
      interface.ni_bufs_head = next_buffer_++;
    }
  }

 private:
  /// As netmap has it: at least one, even of a port that has none.
  static std::uint32_t host_rings(std::uint16_t count) { return count == 0 ? 1 : count; }

  std::int64_t add_ring(const RingShape& shape, bool is_tx) {
    const auto offset = static_cast<std::int64_t>(rings_);
    auto& ring = *reinterpret_cast<abi::netmap_ring*>(base_ + rings_);
    rings_ += ring_bytes(shape);
    ring.buf_ofs = static_cast<std::int64_t>(buffers_) - offset;
    ring.num_slots = shape.slots;
    ring.nr_buf_size = shape_.buffer_bytes;
    ring.ringid = shape.index;
    ring.dir = is_tx ? abi::ring_dir::tx : abi::ring_dir::rx;
    ring.tail = is_tx ? shape.slots - 1 : 0;
    for (std::uint32_t i = 0; i != shape.slots; ++i) {
      abi::slots_of(ring)[i] = {
          next_buffer_++, static_cast<std::uint16_t>(std::min(shape_.buffer_bytes, 65'535U)), 0, 0};
    }
    return offset;
  }

  const PrivateShape& shape_;
  std::uint64_t rings_ = 0;    ///< where the next one goes
  std::uint64_t buffers_ = 0;  ///< where buffer 0 is
  std::uint32_t next_buffer_ = abi::buffer_index::first_usable;
  std::byte* base_ = nullptr;
};

}  // namespace

Result<std::shared_ptr<Region>> make_private_region(const PrivateShape& shape) {
  Builder builder(shape);
  auto mapping = os::map_private(builder.bytes());
  if (!mapping) {
    return std::unexpected(
        Error(mapping.error(), "cannot reserve " + std::to_string(builder.bytes()) +
                                   " bytes for rings and buffers: " + mapping.error().message()));
  }
  builder.build(mapping->bytes().data());
  return std::make_shared<Region>(std::move(*mapping), os::File());
}

}  // namespace netmap
