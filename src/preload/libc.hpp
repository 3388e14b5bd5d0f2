// SPDX-License-Identifier: BSD-2-Clause
//
// The calls that the shim's own stand before.
#pragma once

#include <atomic>
#include <utility>

#include <dlfcn.h>

namespace netmap::preload {

/// The function of a name that comes after this library's, be it libc's or another shim's.
template <class Function>
class Next {
 public:
  explicit constexpr Next(const char* name) noexcept : name_(name) {}

  template <class... Arguments>
  auto operator()(Arguments... arguments) noexcept {
    Function* next = next_.load(std::memory_order_relaxed);
    if (next == nullptr) {
      next = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name_));
      next_.store(next, std::memory_order_relaxed);
    }
    return next(arguments...);
  }

 private:
  const char* name_;
  std::atomic<Function*> next_ = nullptr;
};

}  // namespace netmap::preload
