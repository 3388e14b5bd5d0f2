// SPDX-License-Identifier: BSD-2-Clause
#include "device/external_file.hpp"

#include <fcntl.h>

namespace netmap {
namespace {

std::unexpected<Error> unfit(const std::string& path, std::error_code code,
                             const std::string& why) {
  return std::unexpected(Error(code, "the file '" + path + "' cannot be external memory: " + why));
}

}  // namespace

Result<ExternalFile> open_external_file(const std::string& path) {
  auto file = os::open(AT_FDCWD, path, O_RDWR | O_NONBLOCK);
  if (!file) return unfit(path, file.error(), file.error().message());
  const auto status = os::status(*file);
  if (!status) return unfit(path, status.error(), status.error().message());
  const auto invalid = std::make_error_code(std::errc::invalid_argument);
  if (!status->is_regular) return unfit(path, invalid, "it is not a regular file");
  if (status->bytes == 0 || status->bytes % os::page_bytes() != 0) {
    return unfit(path, invalid,
                 "it has " + std::to_string(status->bytes) + " bytes, but needs whole pages of " +
                     std::to_string(os::page_bytes()) + "; size it with 'truncate -s'");
  }
  auto real = os::real_path(path);
  if (!real) return unfit(path, real.error(), real.error().message());
  return ExternalFile{std::move(*real), std::move(*file), *status};
}

}  // namespace netmap
