// SPDX-License-Identifier: BSD-2-Clause
//
// How nmx gen is told what its packets are.
#pragma once

#include "addresses.hpp"
#include "packets.hpp"

#include <netmap/error.hpp>
#include <netmap/port.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace nmx {

struct PacketArguments {
  PacketOptions packet{.destination = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  std::vector<std::uint32_t> lengths;  ///< bytes; none: short ones
  std::optional<MacAddress> source_mac;
  std::optional<EndpointRange> source;
  std::optional<EndpointRange> destination;
  bool is_ipv6 = false;
  std::string capture;  ///< whose first packet is sent
};

void add_packet_options(CLI::App& app, PacketArguments& arguments);

/// Throws CLI::ValidationError if some of them do not go together.
void check(const PacketArguments& arguments);

/// What is sent through a port. Precondition: check(arguments).
[[nodiscard]] netmap::Result<PacketOptions> packet_options(const PacketArguments& arguments,
                                                           const netmap::PortInfo& info);

}  // namespace nmx
