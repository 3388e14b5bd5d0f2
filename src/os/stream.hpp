// SPDX-License-Identifier: BSD-2-Clause
//
// Files as C streams, for libraries that read and write those.
#pragma once

#include "os/os.hpp"

#include <cstdio>
#include <memory>
#include <string>

namespace netmap::os {

struct CloseStream {
  void operator()(std::FILE* stream) const noexcept { std::fclose(stream); }
};
using Stream = std::unique_ptr<std::FILE, CloseStream>;

/// Opens a file to be read; "-" is the standard input. What is no regular file is not buffered, so
/// that can_read() tells of all there is. Fails with EISDIR for a directory.
[[nodiscard]] Outcome<Stream> open_to_read(const std::string& path);
/// Makes a file to be written, or empties the one that is there; "-" is the standard output.
[[nodiscard]] Outcome<Stream> open_to_write(const std::string& path);

[[nodiscard]] bool is_regular(std::FILE* stream) noexcept;
/// Whether reading would yield something at once, be it the end of the file.
[[nodiscard]] bool can_read(std::FILE* stream) noexcept;

}  // namespace netmap::os
