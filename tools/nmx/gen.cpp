// SPDX-License-Identifier: BSD-2-Clause
#include "fault_option.hpp"
#include "generator.hpp"
#include "options.hpp"
#include "packet_arguments.hpp"
#include "ports.hpp"
#include "tasks.hpp"
#include "tell.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

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
  PacketArguments packet;
  double rate = 0;
};

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
    tell("{} slots were sent, but nobody has taken them\n", left);
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
  const auto packet = packet_options(options.packet, info);
  if (!packet) return std::unexpected(packet.error());
  tell("nmx gen: {}\n", describe(info));
  for (netmap::Port& port : *ports) {
    if (auto fits = check_fit(port, *packet); !fits) return std::unexpected(fits.error());
  }
  wait_for_link(info, options.link_wait);

  const std::uint32_t number_of_run = std::random_device()();
  std::vector<Generator> generators;
  generators.reserve(ports->size());
  std::vector<Task> tasks;
  for (std::uint32_t k = 0; k < ports->size(); ++k) {
    auto& mine = generators.emplace_back((*ports)[k], share(options, *packet, number_of_run, k));
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

}  // namespace

Command add_gen(CLI::App& nmx) {
  auto options = std::make_shared<GenOptions>();
  CLI::App* app = nmx.add_subcommand("gen", "Send packets");
  add_transfer_options(*app, *options);
  app->add_option("-R,--rate", options->rate, "Packets a second in all [as many as go]")
      ->check(CLI::Range(0.001, 1e12));
  add_packet_options(*app, options->packet);
  app->callback([options] { check(options->packet); });
  return {app, [options] { return gen(*options); }};
}

}  // namespace nmx
