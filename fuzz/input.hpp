// SPDX-License-Identifier: BSD-2-Clause
//
// What the fuzz targets share: the fuzzer's bytes as values, and how a finding is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <type_traits>

namespace netmap::fuzz {

/// The fuzzer's bytes, used up from the front; behind them are zeros.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }

  template <class T>
  T take() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    const auto bytes = take_bytes(sizeof value);
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  /// 0 … end - 1.
  std::uint32_t below(std::uint32_t end) { return take<std::uint8_t>() % end; }
  bool flip() { return below(2) != 0; }

  /// The next `count` bytes, or what there is of them.
  std::span<const std::uint8_t> take_bytes(std::size_t count) {
    const auto bytes = rest_.first(count < rest_.size() ? count : rest_.size());
    rest_ = rest_.subspan(bytes.size());
    return bytes;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

/// A finding, unless it holds.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::abort();
}

}  // namespace netmap::fuzz
