// SPDX-License-Identifier: BSD-2-Clause
//
// The blocks of a capture in pcapng's format, of one interface: draft-ietf-opsawg-pcapng. Debian's
// libraries that write it are Wireshark's own, whose interface is not stable, and DPDK's, for its
// own packets; libpcap only reads it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nmx::pcapng {

using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

/// epb_flags, bits 0 and 1.
enum class Way : std::uint32_t { inbound = 1, outbound = 2 };

struct Interface {
  std::string name;
  std::string description;
  std::string filter;  ///< empty: none
  std::uint32_t snaplen = 0;
};

struct Statistics {
  Time start;
  Time end;
  std::uint64_t received = 0;
  std::uint64_t accepted = 0;              ///< by the filter
  std::optional<std::uint64_t> dropped{};  ///< for want of room, if that is known
};

/// Blocks one behind the other, in this machine's byte order.
class Blocks {
 public:
  /// Section header and interface description: what a file begins with.
  void begin(std::string_view program, const Interface& interface);
  /// An enhanced packet block of a packet that had `size` bytes.
  void add(Time time, std::span<const std::byte> bytes, std::uint32_t size, Way way);
  void end(const Statistics& statistics);

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  void clear() { bytes_.clear(); }

 private:
  [[nodiscard]] std::size_t open(std::uint32_t type);
  void close(std::size_t block);
  void put(std::uint32_t word);
  void put(Time time);
  void put(std::span<const std::byte> bytes);
  void option(std::uint16_t code, std::span<const std::byte> value);
  void option(std::uint16_t code, std::string_view text);
  void option(std::uint16_t code, std::uint64_t number);
  void option(std::uint16_t code, Time time);

  std::vector<std::byte> bytes_;
};

}  // namespace nmx::pcapng
