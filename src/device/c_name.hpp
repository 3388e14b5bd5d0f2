// SPDX-License-Identifier: BSD-2-Clause
//
// Names in arrays that others may write to, and may leave without a closing NUL.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace netmap {

template <std::size_t size>
[[nodiscard]] std::string_view stored_name(const char (&name)[size]) {
  return {name, ::strnlen(name, size - 1)};
}
/// As much of it as there is room for.
template <std::size_t size>
void store_name(char (&into)[size], std::string_view name) {
  into[name.copy(into, size - 1)] = '\0';
}

}  // namespace netmap
