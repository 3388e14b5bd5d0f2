// SPDX-License-Identifier: BSD-2-Clause
//
// Files that are external memory: "@extmem=FILE".
#pragma once

#include <netmap/error.hpp>

#include "os/files.hpp"

#include <string>

namespace netmap {

struct ExternalFile {
  std::string path;  ///< absolute, without links
  os::File file;
  os::FileStatus status;
};

/// Opens a file to be memory. Fails with the errno of open(2), or with invalid_argument if it is no
/// regular file of whole pages.
[[nodiscard]] Result<ExternalFile> open_external_file(const std::string& path);

}  // namespace netmap
