// SPDX-License-Identifier: BSD-2-Clause
#include "capture_output.hpp"

#include "regular_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
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

CaptureOutput::CaptureOutput(CaptureOutput&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), written_(other.written_) {}

CaptureOutput::~CaptureOutput() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> CaptureOutput::write(std::span<const std::byte> bytes) {
  for (auto rest = bytes; !rest.empty();) {
    const ssize_t done = ::write(fd_, rest.data(), rest.size());
    if (done > 0) rest = rest.subspan(static_cast<std::size_t>(done));
    if (done > 0 || (done < 0 && errno == EINTR)) continue;
    const int why = errno;
    if (is_regular(fd_)) (void)!::ftruncate(fd_, static_cast<off_t>(written_));
    return cannot_write(path_, why);
  }
  written_ += bytes.size();
  return {};
}

bool CaptureOutput::has_reader() const {
  pollfd one{fd_, 0, 0};
  return ::poll(&one, 1, 0) == 0 || (one.revents & POLLERR) == 0;
}

}  // namespace nmx
