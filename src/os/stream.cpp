// SPDX-License-Identifier: BSD-2-Clause
#include "os/stream.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace netmap::os {
namespace {

/// A copy, so that it can be closed as every other.
Outcome<File> copy_of(int fd) {
  File copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return failure();
  return copy;
}

/// A signal ends the wait for whoever is to open the other end of a FIFO.
Outcome<File> open_once(const std::string& path, int flags) {
  File file(::open(path.c_str(), flags | O_CLOEXEC, 0666));
  if (!file) return failure();
  return file;
}

mode_t mode_of(int fd) noexcept {
  struct stat status{};
  return ::fstat(fd, &status) == 0 ? status.st_mode : 0;
}

Outcome<Stream> stream_of(Outcome<File> file, const char* mode) {
  if (!file) return std::unexpected(file.error());
  Stream stream(::fdopen(file->fd(), mode));
  if (!stream) return failure();
  (void)file->release();
  return stream;
}

}  // namespace

Outcome<Stream> open_to_read(const std::string& path) {
  auto file = path == "-" ? copy_of(STDIN_FILENO) : open_once(path, O_RDONLY);
  if (file && S_ISDIR(mode_of(file->fd()))) return failure(EISDIR);
  auto stream = stream_of(std::move(file), "r");
  if (stream && !is_regular(stream->get())) std::setvbuf(stream->get(), nullptr, _IONBF, 0);
  return stream;
}

Outcome<Stream> open_to_write(const std::string& path) {
  return stream_of(
      path == "-" ? copy_of(STDOUT_FILENO) : open_once(path, O_WRONLY | O_CREAT | O_TRUNC), "w");
}

bool is_regular(std::FILE* stream) noexcept {
  return S_ISREG(mode_of(::fileno(stream)));
}

bool can_read(std::FILE* stream) noexcept {
  pollfd one{::fileno(stream), POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

}  // namespace netmap::os
