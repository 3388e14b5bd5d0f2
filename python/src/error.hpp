// SPDX-License-Identifier: BSD-2-Clause
//
// Failures, as Python has them: netmapxx.Error for what netmap says, BufferError and ValueError for
// what Python's own buffers and files would say.
#pragma once

#include <netmap/error.hpp>

#include <pybind11/pybind11.h>

#include <utility>

namespace netmap::python {

namespace py = pybind11;

/// Puts the class Error into the module.
void bind_error(py::module_& module);

/// Raises netmapxx.Error. The interpreter's lock has to be held.
[[noreturn]] void raise(const Error& error);

template <class T>
T value_of(Result<T> result) {
  if (!result) raise(result.error());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace netmap::python
