// SPDX-License-Identifier: BSD-2-Clause
#include "error.hpp"

#include <array>
#include <string>

namespace netmap::python {
namespace {

/// As netmap::errc has them, from 1 on.
constexpr std::array reasons{
    "bad_name",         "conflicting_options", "no_such_ring",   "position_out_of_range",
    "packet_too_large", "ring_full",           "ring_empty",     "ring_corrupt",
    "interface_gone",   "peer_gone",           "not_supported",  "domain_unusable",
    "region_damaged",   "version_mismatch",    "fault_injected", "end_of_capture",
    "capture_damaged",
};
static_assert(reasons.size() == static_cast<std::size_t>(errc::capture_damaged));

PyObject* error_class = nullptr;  // the module's, which is never unloaded

py::object make(const Error& error) {
  const auto type = py::reinterpret_borrow<py::object>(error_class);
  const int value = error.code().value();
  if (error.code().category() != error_category()) return type(value, error.message());
  py::object made = type(error.message());
  made.attr("reason") = reasons.at(static_cast<std::size_t>(value) - 1);
  return made;
}

}  // namespace

void bind_error(py::module_& module) {
  constexpr auto doc =
      "What went wrong, in one sentence. errno is the system's number, or None if only netmapxx\n"
      "can see this failure; then reason is its name, such as 'bad_name' or 'peer_gone'.";
  error_class = PyErr_NewExceptionWithDoc("netmapxx.Error", doc, PyExc_OSError, nullptr);
  if (error_class == nullptr) throw py::error_already_set();
  module.attr("Error") = py::handle(error_class);
  py::setattr(error_class, "reason", py::none());
}

void raise(const Error& error) {
  PyErr_SetObject(error_class, make(error).ptr());
  throw py::error_already_set();
}

}  // namespace netmap::python
