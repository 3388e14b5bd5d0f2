// SPDX-License-Identifier: BSD-2-Clause
#include "views.hpp"

#include "live_port.hpp"

#include <utility>

namespace netmap::python {
namespace {

[[noreturn]] void refuse_to_withdraw() {
  throw py::buffer_error(
      "slices or arrays of a packet's memory are still there: drop them, or copy with bytes(), "
      "before its slot is given to the other side");
}

}  // namespace

void Views::withdraw(std::uint64_t end) {
  while (!live_.empty() && live_.begin()->first < end) {
    const std::size_t before = live_.size();
    live_.begin()->second->release_memoryview();
    if (live_.size() == before) refuse_to_withdraw();
  }
}

View::View(std::shared_ptr<LivePort> port, Views& views, std::uint64_t slot,
           std::span<std::byte> bytes, bool is_writable)
    : port_(std::move(port)),
      views_(&views),
      entry_(views.live_.emplace(slot, this)),
      bytes_(bytes),
      is_writable_(is_writable) {}

View::~View() {
  views_->live_.erase(entry_);
}

py::object View::make(const std::shared_ptr<LivePort>& port, Views& views, std::uint64_t slot,
                      std::span<std::byte> bytes, bool is_writable) {
  auto made = std::make_unique<View>(port, views, slot, bytes, is_writable);
  View& view = *made;
  const py::object exporter = py::cast(std::move(made));
  auto memoryview = py::reinterpret_steal<py::object>(PyMemoryView_FromObject(exporter.ptr()));
  if (!memoryview) throw py::error_already_set();
  view.memoryview_ = py::weakref(memoryview);
  return memoryview;
}

void View::release_memoryview() const {
  if (!memoryview_) refuse_to_withdraw();  // it is just being made, and a finalizer runs
  const py::object memoryview = memoryview_();
  if (memoryview.is_none()) return;
  const auto done =
      py::reinterpret_steal<py::object>(PyObject_CallMethod(memoryview.ptr(), "release", nullptr));
  if (done) return;
  PyErr_Clear();
  refuse_to_withdraw();
}

int View::export_to(PyObject* self, Py_buffer* buffer, int flags) {
  const View& view = py::cast<const View&>(py::handle(self));
  static std::byte nothing{};  // for a packet of no bytes: an address there must be
  std::byte* const first = view.bytes_.empty() ? &nothing : view.bytes_.data();
  return PyBuffer_FillInfo(buffer, self, first, static_cast<Py_ssize_t>(view.bytes_.size()),
                           view.is_writable_ ? 0 : 1, flags);
}

void View::bind(py::module_& module) {
  const auto set_up = [](PyHeapTypeObject* type) {
    type->ht_type.tp_as_buffer = &type->as_buffer;
    type->as_buffer.bf_getbuffer = &View::export_to;
    type->as_buffer.bf_releasebuffer = nullptr;  // a buffer keeps its exporter alive: that is all
  };
  py::class_<View>(module, "_View", py::custom_type_setup(set_up), "What exports a slot's memory.");
}

}  // namespace netmap::python
