// SPDX-License-Identifier: BSD-2-Clause
#include "capture_output.hpp"

#include "regular_file.hpp"
#include "stop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace nmx {

using netmap::Error;
using netmap::Result;

namespace {

std::unexpected<Error> cannot_write(const std::string& path, int why) {
  const std::error_code code(why, std::system_category());
  return std::unexpected(
      Error(code, fmt::format("cannot write the capture '{}': {}", path, code.message())));
}

}  // namespace

Result<CaptureOutput> CaptureOutput::open(const std::string& path) {
  const bool is_stdout = path == "-";
  if (is_stdout && ::isatty(STDOUT_FILENO) == 1) {
    return std::unexpected(
        Error(std::make_error_code(std::errc::invalid_argument),
              "a capture is not for a terminal to show; give -o FILE, or pipe it into a reader as "
              "in 'nmx capture PORT -o - | tshark -r -'"));
  }
  const int fd = is_stdout ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                           : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return cannot_write(path, errno);
  std::signal(SIGPIPE, SIG_IGN);
  return CaptureOutput(path, fd);
}

CaptureOutput::CaptureOutput(std::string path, int fd) noexcept
    : path_(std::move(path)), fd_(fd), is_regular_(is_regular(fd)) {}

CaptureOutput::CaptureOutput(CaptureOutput&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      is_regular_(other.is_regular_),
      written_(other.written_) {}

CaptureOutput::~CaptureOutput() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> CaptureOutput::write(std::span<const std::byte> bytes) {
  const std::size_t most = is_regular_ ? SIZE_MAX : PIPE_BUF;
  for (auto rest = bytes; !rest.empty();) {
    if (!is_regular_ && !wait_for_room()) return cannot_write(path_, EINTR);
    const ssize_t done = ::write(fd_, rest.data(), std::min(rest.size(), most));
    if (done > 0) rest = rest.subspan(static_cast<std::size_t>(done));
    if (done > 0 || (done < 0 && errno == EINTR)) continue;
    const int why = errno;
    if (is_regular_) (void)!::ftruncate(fd_, static_cast<off_t>(written_));
    return cannot_write(path_, why);
  }
  written_ += bytes.size();
  return {};
}

/// A pipe with room takes PIPE_BUF bytes without waiting: pipe(7). O_NONBLOCK would be set for all
/// who share the standard output. Yields false once nmx is to stop and there is no room.
bool CaptureOutput::wait_for_room() const {
  pollfd one{fd_, POLLOUT, 0};
  for (;;) {
    const bool is_last = stop_requested();
    const int ready = ::poll(&one, 1, is_last ? 1000 : static_cast<int>(slice.count()));
    if (ready > 0) return true;
    if (ready == 0 && is_last) return false;
  }
}

bool CaptureOutput::has_reader() const {
  pollfd one{fd_, 0, 0};
  return ::poll(&one, 1, 0) == 0 || (one.revents & POLLERR) == 0;
}

}  // namespace nmx
