// SPDX-License-Identifier: BSD-2-Clause
#include "port/layout.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

namespace netmap {
namespace {

std::unexpected<Error> damaged(const std::string& what) {
  return std::unexpected(Error(errc::region_damaged, "the shared memory is damaged: " + what));
}

/// Hands out pointers into the region, or nothing.
class Reader {
 public:
  explicit Reader(std::span<std::byte> region) : region_(region) {}

  template <class T>
  T* at(std::uint64_t offset, std::uint64_t trailing_bytes = 0) const {
    const bool fits = offset <= region_.size() && region_.size() - offset >= sizeof(T) &&
                      region_.size() - offset - sizeof(T) >= trailing_bytes;
    if (!fits || offset % alignof(T) != 0) return nullptr;
    return reinterpret_cast<T*>(region_.data() + offset);
  }
  std::uint64_t size() const { return region_.size(); }

 private:
  std::span<std::byte> region_;
};

Result<RingPlace> place_ring(const Reader& region, std::uint64_t offset, std::uint16_t index,
                             bool is_host, std::uint64_t max_data_offset) {
  auto* ring = region.at<abi::netmap_ring>(offset);
  if (ring == nullptr) return damaged("a ring lies outside it");
  const std::uint32_t num_slots = detail::load(ring->num_slots);
  const std::uint32_t buffer_size = detail::load(ring->nr_buf_size);
  const std::uint64_t slots_bytes = std::uint64_t{num_slots} * sizeof(abi::netmap_slot);
  if (region.at<abi::netmap_ring>(offset, slots_bytes) == nullptr || num_slots == 0) {
    return damaged("a ring of " + std::to_string(num_slots) + " slots does not fit");
  }
  const std::uint64_t buffers = offset + static_cast<std::uint64_t>(ring->buf_ofs);
  if (region.at<std::byte>(buffers) == nullptr || buffer_size < sizeof(std::uint32_t) ||
      buffer_size > std::numeric_limits<std::uint16_t>::max() + 1u) {
    return damaged("buffers of " + std::to_string(buffer_size) + " bytes lie outside it");
  }
  const std::uint64_t count = (region.size() - buffers) / buffer_size;
  if (count <= abi::buffer_index::first_usable || count > UINT32_MAX) {
    return damaged("it has " + std::to_string(count) + " buffers");
  }
  const std::uint64_t mask = detail::load(ring->offset_mask);
  auto* slots = abi::slots_of(*ring);
  const auto usable = static_cast<std::uint32_t>(count) - abi::buffer_index::first_usable;
  const detail::BufferArea area{region.at<std::byte>(buffers), usable, buffer_size,
                                mask == 0 ? usable : 0};
  const detail::Offsets offsets{mask,
                                std::min({mask, max_data_offset, std::uint64_t{buffer_size}})};
  return RingPlace{ring, {{slots, num_slots}, area, offsets}, index, is_host};
}

/// Takes `nic` NIC rings and `host` host rings from the offsets, skipping those not bound.
Result<std::vector<RingPlace>> place_rings(const Reader& region, std::uint64_t interface,
                                           const std::int64_t* offsets, std::uint32_t nic,
                                           std::uint32_t host, std::uint64_t max_data_offset) {
  std::vector<RingPlace> rings;
  for (std::uint32_t i = 0; i != nic + host; ++i) {
    if (offsets[i] == 0) continue;
    const bool is_host = i >= nic;
    const auto index = static_cast<std::uint16_t>(is_host ? i - nic : i);
    auto ring = place_ring(region, interface + static_cast<std::uint64_t>(offsets[i]), index,
                           is_host, max_data_offset);
    if (!ring) return std::unexpected(ring.error());
    rings.push_back(*ring);
  }
  return rings;
}

}  // namespace

Result<Layout> find_rings(std::span<std::byte> bytes, std::uint64_t offset,
                          std::uint64_t max_data_offset) {
  const Reader region(bytes);
  auto* interface = region.at<abi::netmap_if>(offset);
  if (interface == nullptr) return damaged("the port's description lies outside it");
  const std::uint32_t tx = detail::load(interface->ni_tx_rings);
  const std::uint32_t rx = detail::load(interface->ni_rx_rings);
  const std::uint32_t host_tx = detail::load(interface->ni_host_tx_rings);
  const std::uint32_t host_rx = detail::load(interface->ni_host_rx_rings);
  constexpr std::uint32_t most = std::numeric_limits<std::uint16_t>::max();
  if (tx > most || rx > most || host_tx > most || host_rx > most) {
    return damaged("the port has an impossible number of rings");
  }
  const std::uint64_t entries = std::uint64_t{tx} + host_tx + rx + host_rx;
  if (region.at<abi::netmap_if>(offset, entries * sizeof(std::int64_t)) == nullptr) {
    return damaged("the port's list of rings does not fit");
  }
  const std::int64_t* offsets = abi::ring_offsets_of(*interface);
  auto tx_rings = place_rings(region, offset, offsets, tx, host_tx, max_data_offset);
  if (!tx_rings) return std::unexpected(tx_rings.error());
  auto rx_rings = place_rings(region, offset, offsets + tx + host_tx, rx, host_rx, max_data_offset);
  if (!rx_rings) return std::unexpected(rx_rings.error());
  return Layout{interface, std::move(*tx_rings), std::move(*rx_rings)};
}

}  // namespace netmap
