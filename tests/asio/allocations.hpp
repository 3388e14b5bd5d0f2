// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

namespace netmap::async_test {

/// How often this thread has called operator new or aligned_alloc.
inline thread_local std::uint64_t allocations = 0;

}  // namespace netmap::async_test
