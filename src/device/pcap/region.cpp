// SPDX-License-Identifier: BSD-2-Clause
#include "device/pcap/region.hpp"

#include <cstddef>
#include <cstring>

namespace netmap::pcap {
namespace {

constexpr std::uint32_t buffer_bytes = abi::pool::buffers.size;
constexpr std::size_t interface_bytes = abi::pool::interfaces.size;

std::size_t bytes_of_ring(std::uint32_t slots) {
  if (slots == 0) return 0;
  const std::size_t bytes = sizeof(abi::netmap_ring) + slots * sizeof(abi::netmap_slot);
  return (bytes + abi::cache_align - 1) / abi::cache_align * abi::cache_align;
}

/// Lays objects into fresh memory, one behind the other.
class Builder {
 public:
  Builder(std::byte* base, const Shape& shape)
      : base_(base),
        buffers_((interface_bytes + bytes_of_ring(shape.tx_slots) + bytes_of_ring(shape.rx_slots) +
                  buffer_bytes - 1) /
                 buffer_bytes * buffer_bytes) {}

  /// Yields where it is, in bytes from the beginning.
  std::int64_t add_ring(std::uint16_t direction, std::uint32_t slots) {
    const std::size_t at = next_;
    next_ += bytes_of_ring(slots);
    auto& ring = *reinterpret_cast<abi::netmap_ring*>(base_ + at);
    ring.buf_ofs = static_cast<std::int64_t>(buffers_ - at);
    ring.num_slots = slots;
    ring.nr_buf_size = buffer_bytes;
    ring.dir = direction;
    ring.tail = direction == abi::ring_dir::tx ? slots - 1 : 0;
    for (std::uint32_t i = 0; i != slots; ++i) {
      abi::slots_of(ring)[i] = {next_buffer_++, buffer_bytes, 0, 0};
    }
    return static_cast<std::int64_t>(at);
  }

  /// Yields the first of a list of buffers that no ring has, 0 if it is empty.
  std::uint32_t add_list(std::uint32_t count) {
    std::uint32_t after = 0;
    for (std::uint32_t index = next_buffer_ + count; index-- != next_buffer_; after = index) {
      std::memcpy(base_ + buffers_ + std::size_t{index} * buffer_bytes, &after, sizeof after);
    }
    return after;
  }

  static std::size_t bytes(const Shape& shape) {
    const std::size_t count = std::size_t{abi::buffer_index::first_usable} + shape.tx_slots +
                              shape.rx_slots + shape.extra_buffers;
    return Builder(nullptr, shape).buffers_ + count * buffer_bytes;
  }

 private:
  std::byte* base_;
  std::size_t buffers_;
  std::size_t next_ = interface_bytes;
  std::uint32_t next_buffer_ = abi::buffer_index::first_usable;
};

}  // namespace

Result<std::shared_ptr<Region>> make_region(const std::string& name, const Shape& shape) {
  const std::size_t bytes = Builder::bytes(shape);
  auto memory = os::map_private(bytes);
  if (!memory) {
    return std::unexpected(Error(
        memory.error(), "cannot have the " + std::to_string(bytes) +
                            " bytes that its rings and buffers need: " + memory.error().message()));
  }
  std::byte* base = memory->bytes().data();
  Builder builder(base, shape);
  auto& interface = *reinterpret_cast<abi::netmap_if*>(base);
  name.copy(interface.ni_name, sizeof interface.ni_name - 1);
  interface.ni_flags = abi::if_flags::priv_mem;
  interface.ni_tx_rings = shape.tx_slots != 0 ? 1 : 0;
  interface.ni_rx_rings = shape.rx_slots != 0 ? 1 : 0;
  interface.ni_host_tx_rings = interface.ni_host_rx_rings = 1;
  std::int64_t* tx = abi::ring_offsets_of(interface);
  std::int64_t* rx = tx + interface.ni_tx_rings + interface.ni_host_tx_rings;
  if (shape.tx_slots != 0) *tx = builder.add_ring(abi::ring_dir::tx, shape.tx_slots);
  if (shape.rx_slots != 0) *rx = builder.add_ring(abi::ring_dir::rx, shape.rx_slots);
  interface.ni_bufs_head = builder.add_list(shape.extra_buffers);
  return std::make_shared<Region>(std::move(*memory), os::File());
}

}  // namespace netmap::pcap
