// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/error.hpp>

#include <source_location>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace netmap::test {

/// The value of a call that has to succeed.
template <class T>
T must(Result<T> result, std::source_location at = std::source_location::current()) {
  if (result) {
    if constexpr (std::is_void_v<T>)
      return;
    else
      return std::move(*result);
  }
  throw std::runtime_error(std::string(at.file_name()) + ':' + std::to_string(at.line()) + ": " +
                           result.error().message());
}

/// The error of a call that has to fail; a code without an error if it did not.
template <class T>
std::error_code code_of(const Result<T>& result) {
  return result ? std::error_code() : result.error().code();
}

}  // namespace netmap::test
