// SPDX-License-Identifier: BSD-2-Clause
#include "asio/allocations.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

void* operator new(std::size_t size) {
  ++netmap::async_test::allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
/// Asio takes its memory from here.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++netmap::async_test::allocations;
  void* memory = nullptr;
  return ::posix_memalign(&memory, std::max(alignment, sizeof(void*)), size) == 0 ? memory
                                                                                  : nullptr;
}
