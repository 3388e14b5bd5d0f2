// SPDX-License-Identifier: BSD-2-Clause
#include "packet_arguments.hpp"

#include "options.hpp"
#include "parsed_option.hpp"
#include "ports.hpp"
#include "stop.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>

namespace nmx {
namespace {

using netmap::Result;

constexpr const char* packet_group = "Packets";

/// "100" or "100:5", the number and the priority of IEEE 802.1Q.
std::expected<std::uint16_t, std::string> parse_vlan(const std::string& text) {
  unsigned number = 0;
  unsigned priority = 0;
  const char* const end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, number);
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == ':') {
    read = std::from_chars(read.ptr + 1, end, priority);
  }
  if (read.ec != std::errc() || read.ptr != end || number > 4094 || priority > 7) {
    return std::unexpected("'" + text +
                           "' is no VLAN; one looks like 100, or 100:5 with a priority of 0 to 7");
  }
  return static_cast<std::uint16_t>(priority << 13 | number);
}

bool is_ipv6(const PacketArguments& arguments) {
  const auto has_prefix = [](const std::optional<EndpointRange>& range) {
    return range && range->prefix;
  };
  return arguments.is_ipv6 || has_prefix(arguments.source) || has_prefix(arguments.destination);
}

/// The one given, or pkt-gen's.
EndpointRange choose(const std::optional<EndpointRange>& given, bool is_ipv6, const char* ipv4,
                     const char* ipv6) {
  return given ? *given : *parse_range(is_ipv6 ? ipv6 : ipv4);
}

void set_addresses(const PacketArguments& arguments, PacketOptions& packet) {
  const bool six = is_ipv6(arguments);
  packet.sweep.source = choose(arguments.source, six, "10.0.0.1", "fd00::1");
  packet.sweep.destination = choose(arguments.destination, six, "10.1.0.1", "fd00::2");
  packet.headers.source = packet.sweep.source.prefix;
  packet.headers.destination = packet.sweep.destination.prefix;
}

void set_lengths(const PacketArguments& arguments, PacketOptions& packet) {
  if (packet.is_mix) {
    packet.longest = std::ranges::max(imix);
  } else if (arguments.lengths.empty()) {
    const HeaderBuilder headers({}, {}, packet.headers);
    const auto least = static_cast<std::uint32_t>(headers.bytes().size());
    packet.shortest = packet.longest = std::max(packet.shortest, least);
  } else {
    const auto [shortest, longest] = std::ranges::minmax(arguments.lengths);
    packet.shortest = shortest;
    packet.longest = longest;
  }
}

/// A stream's may come late.
Result<> wait_for_packet(netmap::Port& capture, const std::string& file) {
  while (capture.rx_rings()[0].packets().empty()) {
    if (stop_requested()) {
      return std::unexpected(
          netmap::Error(std::make_error_code(std::errc::interrupted),
                        fmt::format("interrupted before '{}' had a packet to be sent", file)));
    }
    const auto waited = capture.wait(netmap::Direction::rx, slice);
    if (waited) continue;
    if (!is_end(waited.error())) return std::unexpected(waited.error());
    return std::unexpected(
        netmap::Error(waited.error().code(), fmt::format("'{}' has no packet to be sent", file)));
  }
  return {};
}

Result<std::vector<std::byte>> first_packet(const std::string& file) {
  auto capture = netmap::open("pcap:rx=" + file);
  if (!capture) return std::unexpected(capture.error());
  if (auto waited = wait_for_packet(*capture, file); !waited) {
    return std::unexpected(waited.error());
  }
  const auto packets = capture->rx_rings()[0].packets();
  const netmap::Packet first = *packets.begin();
  std::vector<std::byte> bytes(first.size());
  if (auto copied = first.copy_to(bytes); !copied) return std::unexpected(copied.error());
  return bytes;
}

void add_length_options(CLI::App& app, PacketArguments& arguments) {
  CLI::Option* length =
      app.add_option("-l,--length", arguments.lengths,
                     "Bytes without CRC; given twice, lengths between are drawn [60]")
          ->expected(1, 2)
          ->allow_extra_args(false)
          ->check(CLI::Range(shortest_frame, longest_frame))
          ->capture_default_str()
          ->group(packet_group);
  app.add_flag("--imix", arguments.packet.is_mix,
               "Of 12 packets 7 of 60, 4 of 590, 1 of 1514 bytes")
      ->excludes(length)
      ->group(packet_group);
  app.add_option("-P,--payload", arguments.capture, "Send the first packet of this capture")
      ->excludes(length)
      ->type_name("FILE")
      ->group(packet_group);
  app.add_option("-F,--fragments", arguments.packet.fragments, "Slots of a packet, at least")
      ->check(CLI::Range(std::size_t{1}, netmap::PacketWriter::max_fragments))
      ->capture_default_str()
      ->group(packet_group);
  app.add_flag("--seq", arguments.packet.numbered,
               "Number packets and fill every byte, for recv --seq to check")
      ->group(packet_group);
}

void add_address_options(CLI::App& app, PacketArguments& arguments) {
  SweepOptions& sweep = arguments.packet.sweep;
  add_parsed_option(app, "-s,--source", arguments.source, parse_range,
                    "IP[:PORT[-IP:PORT]], swept packet by packet [10.0.0.1:1234]")
      ->type_name("RANGE")
      ->group(packet_group);
  add_parsed_option(app, "-d,--destination", arguments.destination, parse_range,
                    "The same for the destination [10.1.0.1:1234]")
      ->type_name("RANGE")
      ->group(packet_group);
  app.add_flag("-6,--ipv6", arguments.is_ipv6, "From [fd00::1]:1234 to [fd00::2]:1234 by default")
      ->group(packet_group);
  app.add_flag("-z,--random-source", sweep.random_source, "Draw source address and port")
      ->group(packet_group);
  app.add_flag("-Z,--random-destination", sweep.random_destination, "Draw the destination's")
      ->group(packet_group);
  add_mac_options(app, arguments.source_mac, arguments.packet.destination, packet_group);
  add_parsed_option(app, "--vlan", arguments.packet.headers.vlan, parse_vlan,
                    "A VLAN tag: number[:priority]")
      ->type_name("VLAN")
      ->group(packet_group);
}

}  // namespace

void add_packet_options(CLI::App& app, PacketArguments& arguments) {
  add_length_options(app, arguments);
  add_address_options(app, arguments);
}

void check(const PacketArguments& arguments) {
  const PacketOptions& packet = arguments.packet;
  const bool six = is_ipv6(arguments);
  if (packet.numbered && (six || packet.headers.vlan || !arguments.capture.empty())) {
    throw CLI::ValidationError("--seq numbers packets of IPv4 without a VLAN tag, and no others");
  }
  for (const auto& range : {arguments.source, arguments.destination}) {
    if (six && range && !range->prefix) {
      throw CLI::ValidationError("source and destination must be both IPv4 or both IPv6");
    }
  }
  const auto shortest =
      arguments.lengths.empty() ? packet.shortest : std::ranges::min(arguments.lengths);
  if (packet.numbered && shortest < shortest_numbered_frame) {
    throw CLI::ValidationError(
        fmt::format("--seq needs packets of at least {} bytes, --length allows {}",
                    shortest_numbered_frame, shortest));
  }
  if (packet.fragments > shortest) {
    throw CLI::ValidationError(
        fmt::format("{} bytes cannot be cut into {} fragments", shortest, packet.fragments));
  }
}

Result<PacketOptions> packet_options(const PacketArguments& arguments,
                                     const netmap::PortInfo& info) {
  constexpr MacAddress local{0x02, 0, 0, 0, 0, 0x01};
  PacketOptions packet = arguments.packet;
  packet.source = arguments.source_mac.value_or(mac_of(info, local));
  set_addresses(arguments, packet);
  set_lengths(arguments, packet);
  if (arguments.capture.empty()) return packet;
  auto frame = first_packet(arguments.capture);
  if (!frame) return std::unexpected(frame.error());
  packet.frame = std::move(*frame);
  packet.shortest = packet.longest = static_cast<std::uint32_t>(packet.frame.size());
  return packet;
}

}  // namespace nmx
