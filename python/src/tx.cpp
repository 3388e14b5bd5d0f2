// SPDX-License-Identifier: BSD-2-Clause
#include "rings.hpp"

#include <netmap/writer.hpp>

#include <pybind11/stl.h>

#include <limits>
#include <span>
#include <utility>

namespace netmap::python {
namespace {

/// The bytes of a Python object, while this lives.
class Bytes {
 public:
  explicit Bytes(const py::object& source) {
    if (PyObject_GetBuffer(source.ptr(), &buffer_, PyBUF_SIMPLE) != 0)
      throw py::error_already_set();
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { PyBuffer_Release(&buffer_); }
  [[nodiscard]] std::span<const std::byte> get() const noexcept {
    return {static_cast<const std::byte*>(buffer_.buf), static_cast<std::size_t>(buffer_.len)};
  }

 private:
  Py_buffer buffer_{};
};

/// Nobody may look at slots that are about to be sent.
void withdraw_all(const TxHandle& handle) {
  handle.views().withdraw(std::numeric_limits<std::uint64_t>::max());
}

bool send(const TxHandle& handle, const py::object& packet) {
  const Bytes bytes(packet);
  withdraw_all(handle);
  TxRing& ring = handle.ring();
  const Position before = ring.slots().begin();
  const auto sent = ring.send(bytes.get());
  if (!sent && sent.error() == make_error_code(errc::ring_full)) return false;
  value_of(sent);
  const Position after = ring.slots().begin();
  const std::uint32_t slots = ring.num_slots();
  handle.views().give_away(handle.views().head() +
                           (after.index() + slots - before.index()) % slots);
  return true;
}

std::optional<Reservation> reserve(const TxHandle& handle, std::optional<std::size_t> length) {
  const auto free = handle.ring().slots();
  if (free.empty()) return std::nullopt;
  const std::size_t room = free.front().buffer().size();
  if (length.value_or(0) > room) raise(Error(errc::packet_too_large));
  return Reservation(handle, length.value_or(room));
}

}  // namespace

TxSlot Reservation::slot() const {
  const auto free = ring_.ring().slots();
  if (slot_ != ring_.views().head() || free.empty()) {
    throw py::value_error("the slot was sent already: reserve another");
  }
  return free.front();
}

py::object Reservation::data() const {
  const auto room = slot().buffer();
  const auto bytes = room.first(std::min(room.size(), length_));
  return View::make(ring_.port, ring_.views(), slot_, bytes, true);
}

void Reservation::commit(std::optional<std::size_t> length) const {
  if (length.value_or(0) > length_) raise(Error(errc::packet_too_large));
  withdraw_all(ring_);
  TxSlot filled = slot();
  value_of(filled.set_length(length.value_or(length_)));
  value_of(ring_.ring().commit(filled.after()));
  ring_.views().give_away(slot_ + 1);
}

void bind_tx(py::module_& module) {
  py::class_<Reservation>(module, "Reservation", "A free slot, to be filled in place.")
      .def_property_readonly("data", &Reservation::data, "A writable memoryview of the slot.")
      .def("commit", &Reservation::commit, py::arg("length") = py::none(),
           "Hands the slot over, or the first `length` bytes of it, to be sent at the next sync.");
  py::class_<TxHandle> ring(module, "TxRing", "Packets to send.");
  bind_ring(ring);
  ring.def_property_readonly(
          "free", [](const TxHandle& tx) { return tx.ring().slots().size(); },
          "Slots that can be filled now.")
      .def_property_readonly(
          "pending", [](const TxHandle& tx) { return tx.ring().pending(); },
          "Slots that were handed over, and not taken at the last sync.")
      .def("send", &send, py::arg("packet"),
           "Copies a packet in, over as many slots as it needs, to be sent at the next sync. "
           "Returns False, having done nothing, if there are not enough free slots.")
      .def("reserve", &reserve, py::arg("length") = py::none(),
           "The next free slot, to be filled in place; None if there is none. If it is not "
           "committed, nothing is sent; who sends something else meanwhile ends it.");
}

}  // namespace netmap::python
