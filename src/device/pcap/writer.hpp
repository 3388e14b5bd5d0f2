// SPDX-License-Identifier: BSD-2-Clause
//
// A tx ring on its way into a capture file. See pcap.hpp.
#pragma once

#include "device/own_ring.hpp"

#include <netmap/device.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <pcap/pcap.h>

namespace netmap::pcap {

class CaptureWriter {
 public:
  /// Makes or empties the file. Fails with the system's error.
  [[nodiscard]] static Result<CaptureWriter> open(const std::string& path, const RingPlace& at);

  /// Writes the whole packets that were committed. Fails with packet_too_large if one has more
  /// bytes than readers of the format accept, or with the system's error; both for good.
  SyncStatus sync() noexcept;
  [[nodiscard]] detail::Ledger& ledger() noexcept { return ring_.ledger(); }

 private:
  struct CloseDumper {
    void operator()(pcap_dumper_t* dumper) const noexcept { pcap_dump_close(dumper); }
  };
  using Dumper = std::unique_ptr<pcap_dumper_t, CloseDumper>;

  CaptureWriter(Dumper dumper, const RingPlace& at);

  [[nodiscard]] SyncStatus write_packets(std::uint32_t head) noexcept;
  [[nodiscard]] SyncStatus write(std::uint32_t from, std::uint32_t end,
                                 const timeval& now) noexcept;

  Dumper dumper_;
  OwnRing ring_;
  std::unique_ptr<std::byte[]> joined_;  ///< the fragments of one packet
  SyncStatus failed_;
};

}  // namespace netmap::pcap
