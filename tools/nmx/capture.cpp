// SPDX-License-Identifier: BSD-2-Clause
#include "capture.hpp"

#include "capturer.hpp"
#include "fault_option.hpp"
#include "ports.hpp"
#include "tasks.hpp"
#include "tell.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <vector>

namespace nmx {
namespace {

using netmap::Error;
using netmap::Result;

Result<PacketFilter> filter_of(const CaptureOptions& options) {
  return options.filter.empty() ? PacketFilter() : PacketFilter::compile(options.filter);
}

Result<int> conclude(const CaptureOptions& options, const Capturer& capturer) {
  if (capturer.is_reader_gone()) {
    if (!options.report.quiet) tell("whoever read the capture has gone\n");
    return 0;
  }
  if (options.count != 0 && capturer.accepted() != options.count) {
    return std::unexpected(
        Error(std::make_error_code(std::errc::interrupted),
              fmt::format("stopped after {} of {} packets", capturer.accepted(), options.count)));
  }
  return 0;
}

void check(const CaptureOptions& options) {
  if (options.output == "-" && options.report.json != JsonOutput::none) {
    throw CLI::ValidationError("--json and the capture cannot both go to stdout; give -o FILE");
  }
}

}  // namespace

Result<int> capture(const CaptureOptions& options) {
  auto filter = filter_of(options);
  if (!filter) return std::unexpected(filter.error());
  if (auto apart = check_apart(options.port, "", options.output); !apart) {
    return std::unexpected(apart.error());
  }
  auto ports = open_ports(options, netmap::Direction::rx);
  if (!ports) return std::unexpected(ports.error());
  netmap::Port& port = ports->front();
  const netmap::PortInfo& info = port.info();
  if (!options.report.quiet) tell("nmx capture: {}\n", describe(info));
  auto output = CaptureOutput::open(options.output);
  if (!output) return std::unexpected(output.error());
  wait_for_link(info, options.link_wait);

  Capturer capturer(port, std::move(*output), std::move(*filter),
                    {.count = options.count == 0 ? UINT64_MAX : options.count,
                     .batch = options.batch,
                     .filter = options.filter,
                     .snaplen = options.snaplen});
  const Report report(options.report, identify("capture", info));
  std::vector<Task> tasks;
  tasks.push_back({[&](Counters& counters) { return capturer.run(counters); }, options.cpu});
  const auto total =
      run(std::move(tasks), report,
          {.alone = options.report.quiet ? "" : alone(info), .silence = options.silence});
  if (!total) return std::unexpected(total.error());
  report.total("captured", *total);
  const auto dropped = port.stats().dropped;
  if (dropped != 0 && !options.report.quiet) {
    tell("{} packets found no room in the port's rings\n", dropped);
  }
  say_faults(options.faults, *ports);
  return conclude(options, capturer);
}

Command add_capture(CLI::App& nmx) {
  auto options = std::make_shared<CaptureOptions>();
  CLI::App* app = nmx.add_subcommand("capture", "Write what a port receives for Wireshark to read");
  app->add_option("-o,--output", options->output,
                  "A pcapng file or FIFO; - is stdout, written batch by batch")
      ->type_name("FILE")
      ->capture_default_str();
  add_port_options(*app, *options);
  app->add_option("--filter", options->filter, "Only these packets: pcap-filter(7)")
      ->type_name("EXPR");
  app->add_option("--snaplen", options->snaplen, "Bytes of a packet to keep, at most")
      ->check(CLI::Range(1U, 262'144U))
      ->capture_default_str();
  add_batch_option(*app, options->batch);
  add_silence_option(*app, options->silence);
  app->footer(
      "x{1/rt monitors the pipe end x{1, eth0/rt an interface that somebody has open. All packets\n"
      "of a sync have the clock's time at that sync. Ctrl-C leaves a whole file.");
  app->callback([options] { check(*options); });
  return {app, [options] { return capture(*options); }};
}

}  // namespace nmx
