// SPDX-License-Identifier: BSD-2-Clause
//
// Memoryviews of slots. Slots have numbers here, counted from the port's opening and never reused,
// so that one look tells whether a slot is still the program's.
//
// A memoryview that was handed out is released, as by its own release(), when its slot is given to
// the other side: who looks at it then gets ValueError. What was made of it, a slice or an array,
// cannot be taken away from its owner, so the slot is not given away while that exists, and who
// tries gets BufferError, as with a bytearray that is to be resized.
#pragma once

#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>

namespace netmap::python {

namespace py = pybind11;

class LivePort;
class View;

/// The slots of one ring, and what looks at them.
class Views {
 public:
  /// The number of the ring's oldest slot; those before it are the other side's.
  [[nodiscard]] std::uint64_t head() const noexcept { return head_; }

  /// Makes sure that nobody looks at slots before `end`. Raises BufferError if somebody does.
  void withdraw(std::uint64_t end);
  /// How far packets were shown by iteration.
  [[nodiscard]] std::uint64_t shown() const noexcept { return std::max(shown_, head_); }
  void show(std::uint64_t end) noexcept { shown_ = std::max(shown_, end); }
  /// Slots before `end` were given away, after withdraw().
  void give_away(std::uint64_t end) noexcept { head_ = end; }

 private:
  friend class View;
  std::uint64_t head_ = 0;
  std::uint64_t shown_ = 0;
  std::multimap<std::uint64_t, View*> live_;
};

/// Exports a slot's memory to Python, and lives as long as somebody looks at it.
class View {
 public:
  View(std::shared_ptr<LivePort> port, Views& views, std::uint64_t slot, std::span<std::byte> bytes,
       bool is_writable);
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View();

  /// A memoryview of `bytes`, which lie in the slot of this number.
  [[nodiscard]] static py::object make(const std::shared_ptr<LivePort>& port, Views& views,
                                       std::uint64_t slot, std::span<std::byte> bytes,
                                       bool is_writable);
  static void bind(py::module_& module);

 private:
  friend class Views;

  static int export_to(PyObject* self, Py_buffer* buffer, int flags);
  /// Releases the memoryview that make() made, if it is still there; that may end this object.
  void release_memoryview() const;

  std::shared_ptr<LivePort> port_;  // keeps the memory mapped
  Views* views_;
  std::multimap<std::uint64_t, View*>::iterator entry_;
  std::span<std::byte> bytes_;
  bool is_writable_;
  py::object memoryview_;  // a weak reference
};

}  // namespace netmap::python
