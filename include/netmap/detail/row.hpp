// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace netmap::detail {

/// Objects that are made one after the other and then stay where they are, so that nobody can move
/// one out and have two handles to one thing.
template <class T>
class Row {
 public:
  Row() = default;
  explicit Row(std::size_t capacity)
      : items_(std::allocator<T>().allocate(capacity)), capacity_(capacity) {}
  Row(Row&& other) noexcept { *this = std::move(other); }
  Row& operator=(Row&& other) noexcept {
    std::swap(items_, other.items_);
    std::swap(capacity_, other.capacity_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Row() {
    std::destroy_n(items_, size_);
    if (items_ != nullptr) std::allocator<T>().deallocate(items_, capacity_);
  }

  /// Adds what `make()` returns. Precondition: size() is below the capacity.
  template <class Make>
  void add(Make make) {
    ::new (static_cast<void*>(items_ + size_)) T(make());
    ++size_;
  }

  [[nodiscard]] T* begin() noexcept { return items_; }
  [[nodiscard]] T* end() noexcept { return items_ + size_; }
  [[nodiscard]] const T* begin() const noexcept { return items_; }
  [[nodiscard]] const T* end() const noexcept { return items_ + size_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] T& operator[](std::size_t n) noexcept { return items_[n]; }

 private:
  T* items_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace netmap::detail
