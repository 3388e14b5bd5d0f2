// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/port.hpp>

#include <pybind11/pybind11.h>

#include <chrono>

namespace netmap::python {

namespace py = pybind11;

/// What open() was given by name. Raises TypeError for names it does not know, and ValueError for
/// values.
[[nodiscard]] PortOptions options_of(const py::kwargs& named);

/// Seconds, or None for ever.
[[nodiscard]] std::chrono::nanoseconds duration_of(const py::object& seconds);

}  // namespace netmap::python
