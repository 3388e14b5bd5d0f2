// SPDX-License-Identifier: BSD-2-Clause
//
// Numbered packets in Ethernet frames, for ports that other senders share: NICs, the host's stack
// and switches. The frames carry an EtherType for experiments (IEEE 802, 0x88b5), by which they are
// told from whatever else comes along.
#pragma once

#include "conformance/device.hpp"

namespace netmap::conformance {

using Address = std::uint8_t;  ///< the last byte of a locally administered MAC address
inline constexpr Address broadcast = 0xff;

inline constexpr std::size_t header_bytes = 14;
inline constexpr std::uint16_t ether_type = 0x88b5;

[[nodiscard]] std::vector<std::byte> frame(std::uint32_t number, Address from,
                                           Address to = broadcast, std::size_t bytes = 60);

/// The number in a frame of frame()'s; nothing for any other frame.
[[nodiscard]] std::optional<std::uint32_t> number_in_frame(std::span<const std::byte> packet);

/// Sends frames until `count` were handed over, waiting for room.
void send_frames(Port& port, std::size_t ring, std::uint32_t first, std::uint32_t count,
                 Address from, Address to = broadcast);

/// Waits for `count` frames of frame()'s on one ring; their numbers, in order.
[[nodiscard]] std::vector<std::uint32_t> receive_frames(Port& port, std::size_t ring,
                                                        std::size_t count);

}  // namespace netmap::conformance
