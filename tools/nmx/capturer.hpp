// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "capture_output.hpp"
#include "packet_filter.hpp"
#include "pcapng.hpp"
#include "traffic.hpp"

#include <netmap/netmap.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace nmx {

struct CapturerOptions {
  std::uint64_t count = UINT64_MAX;  ///< of packets that the filter accepts
  std::uint32_t batch = 512;
  std::string filter = {};
  std::uint32_t snaplen = 262'144;  ///< what Wireshark takes for the most
};

/// Writes what comes on all rx rings of a port. All packets of a sync have the time of its end.
class Capturer {
 public:
  Capturer(netmap::Port& port, CaptureOutput output, PacketFilter filter,
           const CapturerOptions& options);

  /// Captures until the count is reached, whoever reads has gone, or it is stopped. What has been
  /// written is then a whole file.
  netmap::Result<> run(Counters& counters);

  [[nodiscard]] bool is_reader_gone() const { return is_reader_gone_; }
  /// Packets that came.
  [[nodiscard]] std::uint64_t received() const { return received_; }
  /// Of these, packets that the filter let through, and that are written.
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }

 private:
  netmap::Result<> capture(Counters& counters);
  netmap::Result<> take_round(Counters& counters);
  netmap::Result<> take(netmap::RxRing& ring, pcapng::Time now);
  void add(const netmap::Packet& packet, bool is_host, pcapng::Time now);
  [[nodiscard]] std::span<const std::byte> linear(const netmap::Packet& packet);
  netmap::Result<> write();
  [[nodiscard]] pcapng::Statistics statistics() const;

  netmap::Port* port_;
  CaptureOutput output_;
  PacketFilter filter_;
  CapturerOptions options_;
  pcapng::Blocks blocks_;
  std::vector<std::byte> joined_;  ///< the fragments of one packet
  pcapng::Time start_;
  bool is_reader_gone_ = false;
  std::uint64_t received_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t bytes_ = 0;  ///< of these
};

}  // namespace nmx
