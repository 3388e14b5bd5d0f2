// SPDX-License-Identifier: BSD-2-Clause
#include "fault_option.hpp"
#include "generator.hpp"
#include "options.hpp"
#include "parsed_option.hpp"
#include "ports.hpp"
#include "stop.hpp"
#include "tasks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

namespace nmx {
namespace {

using netmap::Error;
using netmap::Result;

struct GenOptions : TransferOptions {
  std::vector<std::uint32_t> lengths{60};
  PacketOptions packet{
      .destination = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
      .sweep = {.source = *parse_range("10.0.0.1"), .destination = *parse_range("10.1.0.1")}};
  std::optional<MacAddress> source_mac;
  double rate = 0;
};

PacketOptions packet_options(const GenOptions& options, const netmap::PortInfo& info) {
  constexpr MacAddress local{0x02, 0, 0, 0, 0, 0x01};
  PacketOptions packet = options.packet;
  const auto [shortest, longest] = std::ranges::minmax(options.lengths);
  packet.shortest = shortest;
  packet.longest = longest;
  packet.source = options.source_mac.value_or(mac_of(info, local));
  return packet;
}

/// Thread `k`'s share of the packets and of the rate.
GeneratorOptions share(const GenOptions& options, const PacketOptions& packet, std::uint32_t run,
                       std::uint32_t k) {
  GeneratorOptions mine{.packet = packet,
                        .batch = options.batch,
                        .rate = options.rate / options.threads,
                        .flow = run << 10 | k,
                        .seed = k};
  if (options.count != 0) {
    mine.count = options.count / options.threads + (k < options.count % options.threads ? 1 : 0);
  }
  return mine;
}

Result<int> conclude(const GenOptions& options, const Traffic& total, std::size_t left) {
  if (left != 0) {
    fmt::print(stderr, "{} slots were sent, but nobody has taken them\n", left);
  }
  if (options.count != 0 && (total.packets != options.count || left != 0)) {
    return std::unexpected(
        Error(std::make_error_code(std::errc::interrupted),
              fmt::format("stopped after {} of {} packets", total.packets, options.count)));
  }
  return 0;
}

Result<int> gen(const GenOptions& options) {
  auto ports = open_ports(options, netmap::Direction::tx);
  if (!ports) return std::unexpected(ports.error());
  const netmap::PortInfo& info = ports->front().info();
  const PacketOptions packet = packet_options(options, info);
  fmt::print(stderr, "nmx gen: {}\n", describe(info));
  for (netmap::Port& port : *ports) {
    if (auto fits = check_fit(port, packet); !fits) return std::unexpected(fits.error());
  }
  wait_for_link(info, options.link_wait);

  const std::uint32_t number_of_run = std::random_device()();
  std::vector<Generator> generators;
  generators.reserve(ports->size());
  std::vector<Task> tasks;
  for (std::uint32_t k = 0; k < ports->size(); ++k) {
    auto& mine = generators.emplace_back((*ports)[k], share(options, packet, number_of_run, k));
    tasks.push_back({[&mine](Counters& counters) { return mine.run(counters); },
                     options.cpu ? std::optional(*options.cpu + k) : std::nullopt});
  }
  const auto left = [&generators] {
    return std::transform_reduce(generators.begin(), generators.end(), std::size_t{0}, std::plus(),
                                 [](const Generator& one) { return one.left(); });
  };
  const Report report(options.report, identify("gen", info));
  const auto total = run(std::move(tasks), report, {.alone = alone(info)});
  if (!total) return std::unexpected(total.error());
  report.total("sent", *total);
  say_faults(options.faults, *ports);
  return conclude(options, *total, left());
}

void check(const GenOptions& options) {
  const auto shortest = std::ranges::min(options.lengths);
  if (options.packet.numbered && shortest < shortest_numbered_frame) {
    throw CLI::ValidationError(
        fmt::format("--seq needs packets of at least {} bytes, --length allows {}",
                    shortest_numbered_frame, shortest));
  }
  if (options.packet.fragments > shortest) {
    throw CLI::ValidationError(fmt::format("{} bytes cannot be cut into {} fragments", shortest,
                                           options.packet.fragments));
  }
}

void add_packet_options(CLI::App& app, GenOptions& options) {
  app.add_option("-l,--length", options.lengths,
                 "Bytes of a packet, without CRC; given twice, lengths between are drawn")
      ->expected(1, 2)
      ->allow_extra_args(false)
      ->check(CLI::Range(shortest_frame, longest_frame))
      ->capture_default_str();
  app.add_option("-F,--fragments", options.packet.fragments, "Slots of a packet, at least")
      ->check(CLI::Range(std::size_t{1}, netmap::PacketWriter::max_fragments))
      ->capture_default_str();
  app.add_flag("--seq", options.packet.numbered,
               "Number packets and fill every byte, for recv --seq to check");
  app.add_option("-R,--rate", options.rate, "Packets a second in all [as many as go]")
      ->check(CLI::Range(0.001, 1e12));
}

void add_address_options(CLI::App& app, GenOptions& options) {
  SweepOptions& sweep = options.packet.sweep;
  add_parsed_option(app, "-s,--source", sweep.source, parse_range,
                    "IP[:PORT[-IP:PORT]], swept packet by packet [10.0.0.1:1234]")
      ->type_name("RANGE");
  add_parsed_option(app, "-d,--destination", sweep.destination, parse_range,
                    "The same for the destination [10.1.0.1:1234]")
      ->type_name("RANGE");
  app.add_flag("-z,--random-source", sweep.random_source, "Draw source address and port");
  app.add_flag("-Z,--random-destination", sweep.random_destination, "Draw the destination's");
  add_parsed_option(app, "-S,--source-mac", options.source_mac, parse_mac,
                    "MAC address [the interface's]")
      ->type_name("MAC");
  add_parsed_option(app, "-D,--destination-mac", options.packet.destination, parse_mac,
                    "MAC address [ff:ff:ff:ff:ff:ff]")
      ->type_name("MAC");
}

}  // namespace

Command add_gen(CLI::App& nmx) {
  auto options = std::make_shared<GenOptions>();
  CLI::App* app = nmx.add_subcommand("gen", "Send packets");
  add_transfer_options(*app, *options);
  add_packet_options(*app, *options);
  add_address_options(*app, *options);
  app->callback([options] { check(*options); });
  return {app, [options] { return gen(*options); }};
}

}  // namespace nmx
