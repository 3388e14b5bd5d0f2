// SPDX-License-Identifier: BSD-2-Clause
//
// netmap's ioctls and mmap(2) on an open file, as netmap(4) has them.
#pragma once

#include "preload/core/open_file.hpp"

#include <cstddef>
#include <system_error>

#include <sys/types.h>

namespace netmap::preload {

/// Carries out ioctl(2), and answers in the argument.
Result<> request(OpenFile& file, unsigned long number, void* argument);

struct MappingRequest {
  void* address;
  std::size_t bytes;
  int protection;
  int flags;
  off_t offset;
};
/// mmap(2) of the memory that the file's port is in.
[[nodiscard]] Result<void*> map(OpenFile& file, const MappingRequest& asked);

/// The errno for a program that knows the module only.
[[nodiscard]] int errno_of(std::error_code code) noexcept;

}  // namespace netmap::preload
