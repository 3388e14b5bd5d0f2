// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/error.hpp>

#include <system_error>

namespace netmap::test {

/// The error of a call that has to fail; a code without an error if it did not.
template <class T>
std::error_code code_of(const Result<T>& result) {
  return result ? std::error_code() : result.error().code();
}

}  // namespace netmap::test
