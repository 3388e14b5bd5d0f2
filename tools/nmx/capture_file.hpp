// SPDX-License-Identifier: BSD-2-Clause
//
// A file of packets, pcap or pcapng, with the time of each. The pcap device reads the same files as
// a port, but a ring has no place for times.
#pragma once

#include <netmap/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

namespace nmx {

class CaptureFile {
 public:
  struct Packet {
    std::span<const std::byte> bytes;
    std::uint32_t size;             ///< before a snap length cut it
    std::chrono::nanoseconds time;  ///< since 1970
  };

  /// "-" is the standard input. Fails with the system's error, with capture_damaged, or with
  /// not_supported for a link type other than Ethernet's, or without libpcap.
  [[nodiscard]] static netmap::Result<CaptureFile> open(const std::string& path);
  CaptureFile(CaptureFile&&) noexcept;
  ~CaptureFile();

  /// The next packet, good until the next call; nothing at the end.
  [[nodiscard]] netmap::Result<std::optional<Packet>> next();
  /// Whether next() would yield something without waiting, at the latest after `timeout`. A regular
  /// file always would.
  [[nodiscard]] bool is_ready(std::chrono::milliseconds timeout) const;
  /// A stream inside a packet is no longer waited for once `stop` asks for it: next() then fails.
  void give_up_on(std::stop_token stop);

 private:
  struct File;
  explicit CaptureFile(std::unique_ptr<File> file) noexcept;

  std::unique_ptr<File> file_;
};

}  // namespace nmx
