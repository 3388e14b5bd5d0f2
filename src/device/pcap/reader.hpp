// SPDX-License-Identifier: BSD-2-Clause
//
// A capture file on its way into an rx ring. See pcap.hpp.
#pragma once

#include "device/own_ring.hpp"
#include "device/pcap/handle.hpp"
#include "os/stream.hpp"
#include "os/wake_up.hpp"

#include <netmap/device.hpp>

#include <chrono>
#include <optional>
#include <span>
#include <string>

namespace netmap::pcap {

/// The packets of a file, one after the other.
class CaptureFile {
 public:
  struct Packet {
    std::span<const std::byte> bytes;
    timeval time;  ///< its tv_usec are nanoseconds
  };

  /// Fails with the system's error, with capture_damaged, or with not_supported for a link type
  /// other than Ethernet's.
  [[nodiscard]] static Result<CaptureFile> open(const std::string& path);

  /// The next packet, good until the next call. Nothing at the end; `why` then says which end.
  [[nodiscard]] std::optional<Packet> next(SyncStatus& why) noexcept;
  /// libpcap's last word.
  [[nodiscard]] std::string reason() const { return pcap_geterr(handle_.get()); }
  [[nodiscard]] std::FILE* stream() const noexcept { return pcap_file(handle_.get()); }

 private:
  explicit CaptureFile(Handle handle) noexcept : handle_(std::move(handle)) {}

  Handle handle_;
};

class CaptureReader {
 public:
  CaptureReader(CaptureFile file, bool is_timed, const RingPlace& at, os::WakeUp& wake) noexcept
      : file_(std::move(file)),
        ring_(at),
        wake_(&wake),
        is_timed_(is_timed),
        is_stream_(!os::is_regular(file_.stream())) {}

  /// Takes back what was released and shows what follows. `must_wake`: the program will sleep if
  /// that is nothing.
  SyncStatus sync(bool must_wake) noexcept;
  /// More about why the capture is damaged, once a sync has said that it is.
  [[nodiscard]] std::string reason() const { return file_.reason(); }
  [[nodiscard]] detail::Ledger& ledger() noexcept { return ring_.ledger(); }

 private:
  using Clock = std::chrono::steady_clock;

  SyncStatus fill(bool must_wake) noexcept;
  bool fetch(bool must_wake) noexcept;
  bool is_due(bool must_wake) noexcept;
  SyncStatus show(std::uint32_t slots) noexcept;

  CaptureFile file_;
  OwnRing ring_;
  os::WakeUp* wake_;
  const bool is_timed_;
  const bool is_stream_;
  std::optional<CaptureFile::Packet> waiting_;  ///< the next one, not shown yet
  SyncStatus end_;                              ///< why nothing follows waiting_, once that is so
  std::optional<timeval> first_time_;           ///< the first packet's own
  Clock::time_point start_;                     ///< when it was shown
};

}  // namespace netmap::pcap
