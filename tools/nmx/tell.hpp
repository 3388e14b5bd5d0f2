// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace nmx {

/// Says something on stderr. That nobody can hear it, because its disk is full or its terminal
/// gone, ends no work.
template <class... Values>
void tell(fmt::format_string<Values...> format, Values&&... values) {
  const std::string text = fmt::format(format, std::forward<Values>(values)...);
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace nmx
