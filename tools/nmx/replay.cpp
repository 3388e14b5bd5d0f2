// SPDX-License-Identifier: BSD-2-Clause
#include "fault_option.hpp"
#include "options.hpp"
#include "parsed_option.hpp"
#include "percentiles.hpp"
#include "ports.hpp"
#include "replayer.hpp"
#include "tasks.hpp"
#include "tell.hpp"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

namespace nmx {
namespace {

using netmap::Result;

struct ReplayOptions : TransferOptions {
  std::string file;
  Speed speed;
  std::uint64_t passes = 1;
  bool preload = false;
  std::optional<std::chrono::nanoseconds> spin;
};

void say(const Replayer& replayer) {
  if (replayer.lateness().count() != 0) {
    tell("sent late  µs: {}\n", to_text(replayer.lateness()));
  }
  if (!replayer.is_complete()) tell("stopped before the end of the capture\n");
  if (replayer.padded() != 0) {
    tell("{} packets were not captured whole: zeroes were sent for the rest\n", replayer.padded());
  }
  if (replayer.too_large() != 0) {
    tell("{} packets did not fit into the ring, and were left out\n", replayer.too_large());
  }
  if (replayer.left() != 0) {
    tell("{} slots were sent, but nobody has taken them\n", replayer.left());
  }
}

Result<int> replay(const ReplayOptions& options) {
  if (auto apart = check_apart(options.port, options.file, ""); !apart) {
    return std::unexpected(apart.error());
  }
  auto file = CaptureFile::open(options.file);
  if (!file) return std::unexpected(file.error());
  auto ports = open_ports(options, netmap::Direction::tx);
  if (!ports) return std::unexpected(ports.error());
  netmap::Port& port = ports->front();
  const netmap::PortInfo& info = port.info();
  tell("nmx replay: {}\n", describe(info));
  wait_for_link(info, options.link_wait);

  Replayer replayer(port, std::move(*file),
                    {.speed = options.speed,
                     .passes = options.passes,
                     .count = options.count == 0 ? UINT64_MAX : options.count,
                     .batch = options.batch,
                     .spin = options.spin.value_or(ReplayerOptions().spin)});
  if (options.preload) {
    tell("reading all of the capture\n");
    replayer.preload();
  }
  bool has_ended = false;
  const Report report(options.report, identify("replay", info), [&] {
    if (!has_ended) return Remarks{};
    return Remarks{.json = {{"sent_late_ns", percentiles_json(replayer.lateness())},
                            {"padded", replayer.padded()},
                            {"too_large", replayer.too_large()},
                            {"left", replayer.left()}}};
  });
  std::vector<Task> tasks;
  tasks.push_back({[&](Counters& counters) { return replayer.run(counters); }, options.cpu});
  const auto total = run(std::move(tasks), report, {.alone = alone(info)});
  if (!total) return std::unexpected(total.error());
  has_ended = true;
  report.total("sent", *total);
  if (!options.report.quiet) say(replayer);
  say_faults(options.faults, *ports);
  return replayer.left() == 0 ? 0 : 1;
}

}  // namespace

Command add_replay(CLI::App& nmx) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* app = nmx.add_subcommand("replay", "Send the packets of a capture, when they are due");
  app->add_option("file,-f,--file", options->file, "A pcap or pcapng file; - is the standard input")
      ->type_name("FILE")
      ->required();
  add_port_options(*app, *options);
  add_parsed_option(*app, "--speed", options->speed, parse_speed,
                    "original, 2x, 100kpps, 1Gbps, 1Gbps-wire (with preamble, CRC and gap), top "
                    "[original]")
      ->type_name("SPEED");
  app->add_option("--loop", options->passes, "How often, 0: without end; held in memory if not 1")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 62))
      ->capture_default_str();
  app->add_flag("--preload", options->preload, "Hold all of it in memory before sending begins");
  add_batch_option(*app, options->batch);
  add_spin_option(*app, options->spin);
  app->get_option("--spin")->description(
      "Never sleep (--spin=50us: look at clock and ring for so long before sleeping) [100us]");
  app->footer(
      "Packets leave in the order of the file, by the first tx ring. How much later than due\n"
      "each left is reported. Delay and loss: --fault delay=1ms,drop=0.01.");
  return {app, [options] { return replay(*options); }};
}

}  // namespace nmx
