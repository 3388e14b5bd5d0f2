// SPDX-License-Identifier: BSD-2-Clause
#include "dedup_pump.hpp"
#include "duration.hpp"
#include "fault_option.hpp"
#include "options.hpp"
#include "parsed_option.hpp"
#include "ports.hpp"
#include "tasks.hpp"
#include "tell.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace nmx {
namespace {

using netmap::Error;
using netmap::Port;
using netmap::Result;

struct Options {
  netmap::DeviceOptions device;
  std::optional<netmap::Faults> faults;
  ReportOptions report;
  std::vector<std::string> ports;  ///< from, to
  DedupOptions dedup;
  std::optional<double> link_wait;
  std::optional<std::chrono::milliseconds> silence;
};

Result<int> dedup(const Options& options) {
  auto in = open_port(options.ports.front(), options.device, options.faults);
  if (!in) return std::unexpected(in.error());
  auto out = open_port(options.ports.back(), options.device, options.faults);
  if (!out) return std::unexpected(out.error());
  if (in->rx_rings().empty() || out->tx_rings().empty()) {
    return std::unexpected(
        Error(netmap::errc::no_such_ring, fmt::format("'{}' has no rx rings, or '{}' no tx rings",
                                                      in->info().name, out->info().name)));
  }
  DedupPump pump(*in, *out, options.dedup);
  tell("nmx dedup: {} from {}; to {}\n", pump.is_zero_copy() ? "zero-copy" : "copy",
       describe(in->info()), describe(out->info()));
  wait_for_link(is_interface(in->info()) ? in->info() : out->info(), options.link_wait);

  Json identity = identify("dedup", in->info());
  identity["peer"] = out->info().name;
  identity["zero_copy"] = pump.is_zero_copy();
  const Report report(options.report, identity, [&pump] {
    return Remarks{.text = fmt::format("duplicates {}", pump.duplicates()),
                   .json = {{"duplicates", pump.duplicates()}}};
  });
  std::vector<Task> tasks;
  tasks.push_back({[&pump](Counters& counters) { return pump.run(counters); }, {}});
  const auto total =
      run(std::move(tasks), report, {.alone = alone(in->info()), .silence = options.silence});
  if (!total) return std::unexpected(total.error());
  report.total("forwarded", *total);
  tell("dropped {} duplicates\n", pump.duplicates());
  for (const Port* port : {&*in, &*out}) say_faults(options.faults, {port, 1});
  if (pump.left() != 0) {
    tell("{} slots were sent, but nobody has taken them\n", pump.left());
  }
  return 0;
}

}  // namespace

Command add_dedup(CLI::App& nmx) {
  auto options = std::make_shared<Options>();
  CLI::App* app = nmx.add_subcommand(
      "dedup", "Forward from one port to another, without packets that came just before");
  app->add_option("ports,-i,--port", options->ports, "Where packets come from, and where they go")
      ->type_name("PORT")
      ->expected(2)
      ->required();
  add_parsed_option(*app, "--window", options->dedup.age, parse_positive_duration,
                    "How long a packet counts, like 100us or 1ms [50us]")
      ->type_name("TIME");
  app->add_option("--fifo", options->dedup.packets, "How many packets count, the last ones")
      ->check(CLI::Range(std::size_t{1}, std::size_t{4096}))
      ->capture_default_str();
  add_batch_option(*app, options->dedup.batch);
  add_silence_option(*app, options->silence);
  add_link_option(*app, options->link_wait);
  add_device_options(*app, options->device);
  add_fault_option(*app, options->faults);
  add_report_options(*app, options->report);
  return {app, [options] { return dedup(*options); }};
}

}  // namespace nmx
