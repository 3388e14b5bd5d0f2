// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace nmx {

/// Where a capture goes: a file that is made or emptied, a FIFO, or, as "-", the standard output.
class CaptureOutput {
 public:
  /// Fails with the system's error; refuses a terminal.
  [[nodiscard]] static netmap::Result<CaptureOutput> open(const std::string& path);
  CaptureOutput(CaptureOutput&& other) noexcept;
  CaptureOutput& operator=(CaptureOutput&&) = delete;
  ~CaptureOutput();

  /// Writes all of it; a regular file on a full disk ends before `bytes`. Fails with the system's
  /// error, with EPIPE once whoever read has gone, and with EINTR if nmx is to stop and whoever
  /// reads takes nothing for a second.
  netmap::Result<> write(std::span<const std::byte> bytes);
  /// Whether whoever reads a pipe is still there.
  [[nodiscard]] bool has_reader() const;

 private:
  CaptureOutput(std::string path, int fd) noexcept;
  [[nodiscard]] bool wait_for_room() const;

  std::string path_;
  int fd_;
  bool is_regular_;
  std::uint64_t written_ = 0;
};

}  // namespace nmx
