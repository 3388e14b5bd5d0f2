// SPDX-License-Identifier: BSD-2-Clause
//
// netmapxx._netmapxx: ports for Python. What is allowed to whom, and for how long, is in
// live_port.hpp and views.hpp.
#include "error.hpp"
#include "live_port.hpp"
#include "options.hpp"
#include "rings.hpp"

#include <netmap/port.hpp>

#include <pybind11/pybind11.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace netmap::python {
namespace {

struct PortObject {
  std::shared_ptr<LivePort> live;
  PortInfo info;
  py::tuple rx_rings;
  py::tuple tx_rings;
};

template <class Handle>
py::tuple handles(const std::shared_ptr<LivePort>& live, std::size_t count) {
  py::tuple made(count);
  for (std::size_t n = 0; n != count; ++n) made[n] = py::cast(Handle{{live, n}});
  return made;
}

PortObject open_port(const std::string& name, const py::kwargs& named) {
  const PortOptions options = options_of(named);
  auto opened = [&] {
    const py::gil_scoped_release others_may_run;  // it may wait for the domain
    return open(name, options);
  }();
  auto live = std::make_shared<LivePort>(value_of(std::move(opened)));
  Port& port = live->use();
  return {live, port.info(), handles<RxHandle>(live, port.rx_rings().size()),
          handles<TxHandle>(live, port.tx_rings().size())};
}

PyObject* record_class =
    nullptr;  // types.SimpleNamespace, for when nothing can be imported any more

template <class... Fields>
py::object record(Fields&&... fields) {
  return py::handle(record_class)(std::forward<Fields>(fields)...);
}

py::object info_of(const PortObject& port) {
  const PortInfo& info = port.info;
  return record(py::arg("name") = info.name, py::arg("device") = to_string(info.device),
                py::arg("domain") = info.domain, py::arg("memory_id") = info.memory_id,
                py::arg("memory_bytes") = info.memory_bytes,
                py::arg("tx_rings") = info.conf.tx_rings, py::arg("rx_rings") = info.conf.rx_rings,
                py::arg("host_tx_rings") = info.conf.host_tx_rings,
                py::arg("host_rx_rings") = info.conf.host_rx_rings,
                py::arg("tx_slots") = info.conf.tx_slots, py::arg("rx_slots") = info.conf.rx_slots);
}

py::object stats_of(const PortObject& port) {
  const PortStats stats = port.live->use().stats();
  return record(py::arg("tx_packets") = stats.tx.packets, py::arg("tx_bytes") = stats.tx.bytes,
                py::arg("rx_packets") = stats.rx.packets, py::arg("rx_bytes") = stats.rx.bytes,
                py::arg("tx_syncs") = stats.tx_syncs, py::arg("rx_syncs") = stats.rx_syncs,
                py::arg("polls") = stats.polls, py::arg("dropped") = stats.dropped);
}

/// netmapxx.Direction, a Python flag with Directions' values.
py::object make_direction_class() {
  py::dict members;
  members["RX"] = static_cast<int>(Direction::rx);
  members["TX"] = static_cast<int>(Direction::tx);
  return py::module_::import("enum").attr("IntFlag")("Direction", members,
                                                     py::arg("module") = "netmapxx");
}

Direction direction_of(int value) {
  if (value != static_cast<int>(Direction::rx) && value != static_cast<int>(Direction::tx)) {
    throw py::value_error("one direction is wanted: Direction.RX or Direction.TX");
  }
  return static_cast<Direction>(value);
}

Directions directions_of(int value) {
  if (value == 3) return Direction::rx | Direction::tx;
  return direction_of(value);
}

int wait(const PortObject& port, int wanted, const py::object& timeout) {
  const Directions found = port.live->wait(directions_of(wanted), duration_of(timeout));
  return (found.has(Direction::rx) ? 1 : 0) + (found.has(Direction::tx) ? 2 : 0);
}

std::string describe(const PortObject& port) {
  return "<netmapxx.Port '" + port.info.name + "' on the " +
         std::string(to_string(port.info.device)) + " device" +
         (port.live->is_closed() ? ", closed>" : ">");
}

void bind_port(py::module_& module, const py::object& direction) {
  using Self = const PortObject&;
  const auto rx = static_cast<int>(Direction::rx);
  py::class_<PortObject>(module, "Port", "A netmap port. One thread at a time uses it.")
      .def_property_readonly("info", &info_of, "What the port turned out to be.")
      .def_property_readonly("rx_rings", [](Self port) { return port.rx_rings; })
      .def_property_readonly("tx_rings", [](Self port) { return port.tx_rings; })
      .def_property_readonly("closed", [](Self port) { return port.live->is_closed(); })
      .def(
          "sync_tx", [](Self port) { port.live->sync(Direction::tx); },
          "Sends what was handed over, and learns which slots are free again.")
      .def(
          "sync_rx", [](Self port) { port.live->sync(Direction::rx); },
          "Gives back what was released, and learns what has arrived.")
      .def(
          "wait",
          [direction](Self port, int wanted, const py::object& timeout) {
            return direction(wait(port, wanted, timeout));
          },
          py::arg("direction"), py::arg("timeout") = py::none(),
          "Syncs and waits until a ring of a direction is ready; returns the directions that are, "
          "none at the timeout, in seconds. Other threads run meanwhile, and Ctrl-C ends it.")
      .def(
          "drain",
          [](Self port, const py::object& timeout) {
            return port.live->drain(duration_of(timeout));
          },
          py::arg("timeout"),
          "Waits until all that was sent was taken; returns how many slots were not.")
      .def(
          "arm", [](Self port, int one) { return port.live->arm(direction_of(one)); },
          py::arg("direction") = rx,
          "Lets fileno() become readable when a ring is ready. Returns False, having done nothing, "
          "if one is already. The next sync of the direction ends it; until then its rings are "
          "not to be looked at.")
      .def(
          "fileno", [](Self port, int one) { return port.live->fileno(direction_of(one)); },
          py::arg("direction") = rx,
          "A descriptor for select, poll or asyncio to wait for input on, after arm().")
      .def("stats", &stats_of, "What was moved, and how often.")
      .def(
          "close", [](Self port) { port.live->close(); },
          "Gives everything back. Raises BufferError if slices or arrays of a packet's memory are "
          "still there.")
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](Self port, const py::args&) { port.live->close(); })
      .def("__repr__", &describe);
}

}  // namespace

PYBIND11_MODULE(_netmapxx, module) {
  bind_error(module);
  record_class = py::object(py::module_::import("types").attr("SimpleNamespace")).release().ptr();
  const py::object direction = make_direction_class();
  module.attr("Direction") = direction;
  View::bind(module);
  bind_rx(module);
  bind_tx(module);
  bind_port(module, direction);
  module.def("open", &open_port, py::arg("name"),
             "Opens a port by name, such as 'x{1', 'vale0:a', 'eth0' or 'pcap:file'. Options: "
             "device, domain, xdp, tx_rings, rx_rings, tx_slots, rx_slots, memory_id, "
             "ends_with_peer, spin.");
}

}  // namespace netmap::python
