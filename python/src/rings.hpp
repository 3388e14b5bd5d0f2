// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "live_port.hpp"

#include <netmap/ring.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace netmap::python {

/// One ring of a port that Python holds.
struct RingHandle {
  std::shared_ptr<LivePort> port;
  std::size_t n;
};

struct RxHandle : RingHandle {
  [[nodiscard]] RxRing& ring() const { return port->rx(n); }
  [[nodiscard]] Views& views() const noexcept { return port->rx_views(n); }
  /// Releases every slot before the one of this number.
  void release(std::uint64_t end) const;
};

struct TxHandle : RingHandle {
  [[nodiscard]] TxRing& ring() const { return port->tx(n); }
  [[nodiscard]] Views& views() const noexcept { return port->tx_views(n); }
};

/// A received packet that Python holds: slots `first` up to `end`, by number.
class HeldPacket {
 public:
  HeldPacket(RxHandle ring, const Packet& packet, std::uint64_t first, std::uint64_t end)
      : ring_(std::move(ring)), packet_(packet), first_(first), end_(end) {}

  [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
  [[nodiscard]] bool is_of(const RxHandle& ring) const noexcept {
    return ring_.port == ring.port && ring_.n == ring.n;
  }
  [[nodiscard]] bool is_released() const noexcept { return first_ < ring_.views().head(); }
  [[nodiscard]] std::size_t size() const { return packet().size(); }
  [[nodiscard]] py::object data() const;
  [[nodiscard]] py::tuple fragments() const;
  [[nodiscard]] py::bytes copy() const { return copy_of(packet()); }

  [[nodiscard]] static py::bytes copy_of(const Packet& packet);

 private:
  /// Raises ValueError if it was released.
  [[nodiscard]] const Packet& packet() const;

  RxHandle ring_;
  Packet packet_;
  std::uint64_t first_;
  std::uint64_t end_;
};

/// Goes over the packets that were there when it was made; those that are released on the way are
/// left out.
class PacketIterator {
 public:
  explicit PacketIterator(RxHandle ring);
  [[nodiscard]] HeldPacket next();

 private:
  void restart(RxRing& ring);

  RxHandle ring_;
  Packets::iterator packet_;
  std::uint64_t slot_ = 0;
  std::uint64_t end_ = 0;
};

/// A free slot that Python fills in place.
class Reservation {
 public:
  Reservation(TxHandle ring, std::size_t length)
      : ring_(std::move(ring)), slot_(ring_.views().head()), length_(length) {}

  [[nodiscard]] py::object data() const;
  void commit(std::optional<std::size_t> length) const;

 private:
  /// Raises ValueError if it was sent, or another packet was in its place.
  [[nodiscard]] TxSlot slot() const;

  TxHandle ring_;
  std::uint64_t slot_;
  std::size_t length_;
};

/// What rings of both directions say about themselves.
template <class Handle>
void bind_ring(py::class_<Handle>& type) {
  type.def_property_readonly(
          "index", [](const Handle& handle) { return handle.ring().index(); },
          "The ring's number among the port's NIC rings, or host rings, of its direction.")
      .def_property_readonly("is_host",
                             [](const Handle& handle) { return handle.ring().is_host(); })
      .def_property_readonly("slots",
                             [](const Handle& handle) { return handle.ring().num_slots(); })
      .def_property_readonly(
          "buffer_size", [](const Handle& handle) { return handle.ring().buffer_size(); },
          "Bytes that one slot can hold.");
}

void bind_rx(py::module_& module);
void bind_tx(py::module_& module);

}  // namespace netmap::python
