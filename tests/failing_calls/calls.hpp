// SPDX-License-Identifier: BSD-2-Clause
//
// The system calls that the library makes, counted, and one of them failed. The linker puts these
// in the place of libc's (--wrap).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace netmap::failing_calls {

/// The calls made since fail_call().
[[nodiscard]] const std::vector<std::string>& calls();
/// Counts anew, and has call number `n`, from 0, fail with `error`, if there are so many.
void fail_call(std::size_t n, int error);
/// Counts a call; the error that it is to fail with, 0 for none.
[[nodiscard]] int next(const char* call);
/// From here on every call is libc's own.
void leave_calls_alone();

/// The errors that a call can give, as its manual page lists them, but for those that would be a
/// mistake of the library's; empty for calls that are not failed.
[[nodiscard]] std::vector<int> errors_of(const std::string& call);

}  // namespace netmap::failing_calls
