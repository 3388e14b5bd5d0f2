// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/ring.hpp>

namespace netmap {

/// One packet being written into free slots, of any number of fragments. Nothing is sent before
/// commit(); a writer that is dropped sends nothing, so half a packet cannot leave.
///
///     auto packet = tx.writer();
///     packet.append(headers);
///     packet.append(payload);      // spills into the next slot where it must
///     packet.commit();
///
/// Lifetime: the ring's. One writer at a time per ring.
class PacketWriter {
 public:
  /// netmap(4): a packet has at most this many fragments.
  static constexpr std::size_t max_fragments = abi::max_fragments;

  /// The unwritten part of the current slot's buffer.
  [[nodiscard]] std::span<std::byte> room() const noexcept(!NETMAP_CHECKED) {
    if (current_ == end_) return {};
    const auto buffer = (*current_).buffer();
    return buffer.empty() ? buffer : buffer.subspan(used_);
  }

  /// Counts the first `bytes` of room() as written. Fails with packet_too_large beyond room().
  Result<> advance(std::size_t bytes) {
    if (bytes > room().size()) return detail::refuse(errc::packet_too_large);
    used_ += bytes;
    return {};
  }

  /// Ends this fragment and goes on in the next slot, where the next write begins. Fails with
  /// ring_full, or with packet_too_large after max_fragments or as many as the ring can hold.
  Result<> next_fragment() {
    if (current_ == end_) return detail::refuse(errc::ring_full);
    if (fragments_ == std::min<std::size_t>(max_fragments, ring_->num_slots() - 1)) {
      return detail::refuse(errc::packet_too_large);
    }
    if (std::next(current_) == end_) return detail::refuse(errc::ring_full);
    if (auto set = finish(abi::slot_flags::more_fragments); !set) return set;
    ++current_;
    ++fragments_;
    used_ = 0;
    return {};
  }

  /// Copies `bytes` behind what was written, over as many fragments as it takes. After a failure
  /// the packet is best dropped: part of `bytes` may be written, and nothing is sent.
  Result<> append(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      auto into = room();  // once: the other side may change what the slot names
      if (into.empty()) {
        if (used_ == 0 && current_ != end_) return detail::refuse(errc::ring_corrupt);
        if (auto next = next_fragment(); !next) return next;
        into = room();
        if (into.empty()) return detail::refuse(errc::ring_corrupt);
      }
      const std::size_t part = std::min(into.size(), bytes.size());
      std::memcpy(into.data(), bytes.data(), part);
      used_ += part;
      bytes = bytes.subspan(part);
    }
    return {};
  }

  /// Commits the packet and begins the next one behind it. Fails with ring_full if no slot was
  /// free.
  Result<> commit(std::uint16_t flags = 0) {
    if (current_ == end_) return detail::refuse(errc::ring_full);
    if (auto set = finish(flags); !set) return set;
    ++current_;
    fragments_ = 1;
    used_ = 0;
    return ring_->commit(current_);
  }

 private:
  friend class TxRing;

  explicit PacketWriter(TxRing& ring) noexcept : PacketWriter(ring, ring.slots()) {}
  PacketWriter(TxRing& ring, const TxSlots& free) noexcept
      : ring_(&ring), current_(free.begin()), end_(free.end()) {}

  Result<> finish(std::uint16_t flags) { return (*current_).set_length(used_, flags); }

  TxRing* ring_;
  TxSlots::iterator current_;
  TxSlots::iterator end_;
  std::size_t used_ = 0;
  std::size_t fragments_ = 1;
};

inline PacketWriter TxRing::writer() noexcept NETMAP_LIFETIMEBOUND {
  return PacketWriter(*this);
}

inline Result<> TxRing::send(std::span<const std::byte> packet) {
  const auto free = slots();
  if (free.empty()) [[unlikely]]
    return detail::refuse(errc::ring_full);
  if (packet.size() <= buffer_size()) [[likely]] {
    auto written = free.front().write(packet);
    if (written) [[likely]]
      return commit(free.front().after());
    if (written.error() != errc::packet_too_large) return written;  // it is, behind an offset
  }
  auto packet_writer = writer();
  if (auto appended = packet_writer.append(packet); !appended) return appended;
  return packet_writer.commit();
}

}  // namespace netmap
