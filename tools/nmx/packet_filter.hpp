// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace nmx {

/// An expression in libpcap's language, pcap-filter(7), for packets of Ethernet.
class PacketFilter {
 public:
  /// Accepts everything.
  PacketFilter() noexcept;
  PacketFilter(PacketFilter&&) noexcept;
  PacketFilter& operator=(PacketFilter&&) noexcept;
  ~PacketFilter();

  /// Fails with EINVAL and libpcap's reason, or with not_supported without libpcap.
  [[nodiscard]] static netmap::Result<PacketFilter> compile(const std::string& expression);

  [[nodiscard]] bool accepts(std::span<const std::byte> packet) const;

 private:
  struct Program;
  explicit PacketFilter(std::unique_ptr<Program> program) noexcept;

  std::unique_ptr<Program> program_;
};

}  // namespace nmx
