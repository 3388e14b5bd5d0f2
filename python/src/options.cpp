// SPDX-License-Identifier: BSD-2-Clause
#include "options.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace netmap::python {
namespace {

using std::chrono::nanoseconds;

DeviceKind device_of(const py::handle& value) {
  const auto name = py::cast<std::string>(value);
  for (const auto kind : {DeviceKind::automatic, DeviceKind::kernel, DeviceKind::embedded}) {
    if (to_string(kind) == name) return kind;
  }
  throw py::value_error("there is no device '" + name + "': say 'kernel' or 'embedded'");
}

XdpMode xdp_of(const py::handle& value) {
  const auto name = py::cast<std::string>(value);
  for (const auto mode :
       {XdpMode::automatic, XdpMode::native, XdpMode::generic, XdpMode::zero_copy}) {
    if (to_string(mode) == name) return mode;
  }
  throw py::value_error("there is no XDP mode '" + name + "'");
}

/// A setter of a member, by name.
template <class T>
void set(T& member, const py::handle& value) {
  member = py::cast<T>(value);
}

struct Option {
  std::string_view name;
  void (*set)(PortOptions& options, const py::handle& value);
};

constexpr std::array port_options{
    Option{"device", [](PortOptions& o, const py::handle& v) { o.device.kind = device_of(v); }},
    Option{"domain", [](PortOptions& o, const py::handle& v) { set(o.device.domain, v); }},
    Option{"xdp", [](PortOptions& o, const py::handle& v) { o.device.xdp = xdp_of(v); }},
    Option{"tx_rings", [](PortOptions& o, const py::handle& v) { set(o.conf.tx_rings, v); }},
    Option{"rx_rings", [](PortOptions& o, const py::handle& v) { set(o.conf.rx_rings, v); }},
    Option{"tx_slots", [](PortOptions& o, const py::handle& v) { set(o.conf.tx_slots, v); }},
    Option{"rx_slots", [](PortOptions& o, const py::handle& v) { set(o.conf.rx_slots, v); }},
    Option{"memory_id", [](PortOptions& o, const py::handle& v) { set(o.memory_id, v); }},
    Option{"ends_with_peer", [](PortOptions& o, const py::handle& v) { set(o.ends_with_peer, v); }},
    Option{"spin",
           [](PortOptions& o, const py::handle& v) {
             o.spin = duration_of(py::reinterpret_borrow<py::object>(v));
           }},
};

}  // namespace

PortOptions options_of(const py::kwargs& named) {
  PortOptions options;
  for (const auto& [key, value] : named) {
    const auto name = py::cast<std::string>(key);
    const auto* const option = std::ranges::find(port_options, name, &Option::name);
    if (option == port_options.end()) throw py::type_error("open() has no option '" + name + "'");
    try {
      option->set(options, value);
    } catch (const py::cast_error&) {
      throw py::value_error("open() cannot take " + py::cast<std::string>(py::repr(value)) +
                            " for '" + name + "'");
    }
  }
  return options;
}

nanoseconds duration_of(const py::object& seconds) {
  if (seconds.is_none()) return forever;
  const double value = py::float_(seconds);
  if (std::isnan(value)) throw py::value_error("a time has to be a number of seconds");
  constexpr double longest = 9e9;
  if (value >= longest) return forever;
  return std::chrono::duration_cast<nanoseconds>(
      std::chrono::duration<double>(std::max(value, 0.0)));
}

}  // namespace netmap::python
