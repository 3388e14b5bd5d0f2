// SPDX-License-Identifier: BSD-2-Clause
#include "rings.hpp"

#include <netmap/packet.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace netmap::python {
namespace {

/// Slots from one place to another, at most once around.
std::uint32_t distance(const RxRing& ring, Position from, Position to) {
  const std::uint32_t slots = ring.num_slots();
  return (to.index() + slots - from.index()) % slots;
}

py::object receive(const RxHandle& handle) {
  const auto waiting = handle.ring().packets();
  if (waiting.empty()) return py::none();
  const Packet packet = *waiting.begin();
  py::bytes copy = HeldPacket::copy_of(packet);
  const std::uint32_t slots = distance(handle.ring(), packet.position(), packet.after());
  handle.release(handle.views().head() + slots);
  return copy;
}

void release(const RxHandle& handle, const HeldPacket& packet) {
  if (!packet.is_of(handle)) throw py::value_error("the packet is of another ring");
  if (packet.is_released()) throw py::value_error("the packet was released already");
  handle.release(packet.end());
}

}  // namespace

void RxHandle::release(std::uint64_t end) const {
  views().withdraw(end);
  const auto slots = ring().slots();
  const std::uint64_t count = end - views().head();
  if (count > slots.size()) raise(Error(errc::position_out_of_range));
  value_of(ring().release(slots.begin() + static_cast<std::ptrdiff_t>(count)));
  views().give_away(end);
}

const Packet& HeldPacket::packet() const {
  (void)ring_.ring();
  if (is_released()) throw py::value_error("the packet was released: its memory is not yours");
  return packet_;
}

py::bytes HeldPacket::copy_of(const Packet& packet) {
  const std::size_t size = packet.size();
  py::bytes copy(nullptr, size);
  const std::span into(reinterpret_cast<std::byte*>(PyBytes_AS_STRING(copy.ptr())), size);
  if (value_of(packet.copy_to(into)) != size) raise(Error(errc::ring_corrupt));
  return copy;
}

py::object HeldPacket::data() const {
  const Packet& held = packet();
  if (!held.is_linear()) {
    return py::reinterpret_steal<py::object>(PyMemoryView_FromObject(copy().ptr()));
  }
  return View::make(ring_.port, ring_.views(), first_, held.front(), false);
}

py::tuple HeldPacket::fragments() const {
  const std::size_t count = std::min<std::size_t>(packet().fragments().size(), end_ - first_);
  py::tuple fragments(count);
  for (std::size_t n = 0; n != count; ++n) {
    const auto bytes =
        packet().fragments()[n].bytes();  // anew: a finalizer may have closed the port
    fragments[n] = View::make(ring_.port, ring_.views(), first_ + n, bytes, false);
  }
  return fragments;
}

PacketIterator::PacketIterator(RxHandle ring) : ring_(std::move(ring)) {
  RxRing& owner = ring_.ring();
  restart(owner);
  end_ = slot_ + owner.packets().slots().size();
}

void PacketIterator::restart(RxRing& ring) {
  packet_ = ring.packets().begin();
  slot_ = ring_.views().head();
}

HeldPacket PacketIterator::next() {
  RxRing& owner = ring_.ring();
  if (slot_ < ring_.views().head()) restart(owner);
  if (slot_ >= end_) throw py::stop_iteration();
  const Packet packet = *packet_;
  const std::uint64_t first = slot_;
  ++packet_;
  slot_ += distance(owner, packet.position(), packet_);
  ring_.views().show(slot_);
  return {ring_, packet, first, slot_};
}

void bind_rx(py::module_& module) {
  py::class_<HeldPacket>(module, "Packet", "A received packet, until it is released.")
      .def_property_readonly("data", &HeldPacket::data,
                             "A read-only memoryview of the packet, in place; of a copy, if it is "
                             "in several slots.")
      .def_property_readonly("fragments", &HeldPacket::fragments,
                             "A tuple of read-only memoryviews, one for each slot, in place.")
      .def("__bytes__", &HeldPacket::copy)
      .def("__len__", &HeldPacket::size);
  py::class_<PacketIterator>(module, "_Packets", "Goes over the packets of a ring.")
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", &PacketIterator::next);
  py::class_<RxHandle> ring(module, "RxRing", "Received packets.");
  bind_ring(ring);
  ring.def_property_readonly(
          "waiting", [](const RxHandle& rx) { return rx.ring().slots().size(); },
          "Slots that hold received packets, and were not released.")
      .def(
          "packets", [](const RxHandle& rx) { return PacketIterator(rx); },
          "Goes over the packets that are there now, oldest first, and changes nothing.")
      .def(
          "release", [](const RxHandle& rx) { rx.release(rx.views().shown()); },
          "Gives back the packets that were shown by going over packets().")
      .def("release", &release, py::arg("packet"), "Gives back this packet and all before it.")
      .def("receive", &receive,
           "Copies the oldest packet, gives it back, and returns the copy; None if there is none.");
}

}  // namespace netmap::python
