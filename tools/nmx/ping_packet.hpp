// SPDX-License-Identifier: BSD-2-Clause
//
// A ping is a UDP packet that carries its number. Behind the 42 bytes of headers:
//
//     number  8 bytes  from 0
//     run     4 bytes  drawn by nmx ping when it starts, so that it knows its own
//
// both in little-endian order. As many bytes as pkt-gen's ping uses, so any pong will do.
#pragma once

#include "frame.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace nmx {

inline constexpr std::size_t shortest_ping = header_bytes + 12;

/// The pings of one run.
class PingWriter {
 public:
  /// Precondition: header states the length of the frame; frame_bytes >= shortest_ping.
  PingWriter(const Header& header, std::size_t frame_bytes, std::uint32_t run);

  /// The whole frame with this number. Good until the next call.
  [[nodiscard]] std::span<const std::byte> make(std::uint64_t number);

 private:
  std::vector<std::byte> frame_;
};

/// The number of a frame that is a ping of this run.
[[nodiscard]] std::optional<std::uint64_t> number_of_ping(std::span<const std::byte> frame,
                                                          std::uint32_t run);

}  // namespace nmx
