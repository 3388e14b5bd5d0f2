// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nmx {

/// What decides where a packet goes.
struct Flow {
  std::uint32_t hash = 0;
  bool is_ip = false;
};

/// The flow of an Ethernet frame, of which the first 256 bytes are enough but for the deepest
/// tunnels. Both directions have one hash: it depends on the unordered pair of address and port at
/// either end.
///
/// VLAN tags are skipped. IPv4 and IPv6 count with their ports if they have any (TCP, UDP and its
/// kin, SCTP, DCCP); all fragments of a packet count without, because all but the first have none.
/// Inside IP-in-IP, of either version, and GRE the inner packet counts, if it can be told.
/// Everything else counts by its MAC addresses. Nothing beyond `frame` is read, however it lies
/// about its lengths.
[[nodiscard]] Flow flow_of(std::span<const std::byte> frame) noexcept;

}  // namespace nmx
