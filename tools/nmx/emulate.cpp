// SPDX-License-Identifier: BSD-2-Clause
#include "emulator.hpp"
#include "fault_option.hpp"
#include "line_options.hpp"
#include "link_report.hpp"
#include "options.hpp"
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
using netmap::Result;
using namespace std::chrono_literals;

struct EmulateOptions {
  netmap::DeviceOptions device;
  std::optional<netmap::Faults> faults;
  ReportOptions report;
  std::vector<std::string> ports;
  LinkOptions link;
  std::uint64_t seed = 1;
  std::uint32_t batch = 1024;
  std::optional<std::chrono::nanoseconds> spin;
  std::optional<unsigned> cpu;
  std::optional<double> link_wait;
  std::optional<std::chrono::milliseconds> silence;
};

Result<> check(const netmap::Port& a, const netmap::Port& b, const Emulator& emulator) {
  if (emulator.has_a_way()) return {};
  return std::unexpected(
      Error(netmap::errc::no_such_ring,
            fmt::format("neither of '{}' and '{}' has rx rings while the other has tx rings",
                        a.info().name, b.info().name)));
}

Result<> check_names(const std::vector<std::string>& ports) {
  if (ports.front() != ports.back()) return {};
  return std::unexpected(
      Error(netmap::errc::conflicting_options,
            fmt::format("'{}' cannot be both ends of the link; give two different ports",
                        ports.front())));
}

Result<int> emulate(const EmulateOptions& options) {
  if (auto checked = check_names(options.ports); !checked) {
    return std::unexpected(checked.error());
  }
  auto a = open_port(options.ports.front(), options.device, options.faults);
  if (!a) return std::unexpected(a.error());
  auto b = open_port(options.ports.back(), options.device, options.faults);
  if (!b) return std::unexpected(b.error());

  LinkLog log;
  Emulator emulator(*a, *b,
                    {.link = options.link,
                     .seed = options.seed,
                     .batch = options.batch,
                     .spin = options.spin.value_or(50us)},
                    log);
  if (auto checked = check(*a, *b, emulator); !checked) return std::unexpected(checked.error());
  tell("nmx emulate: between {}; and {}\n", describe(a->info()), describe(b->info()));
  wait_for_link(is_interface(a->info()) ? a->info() : b->info(), options.link_wait);

  Json identity = identify("emulate", a->info());
  identity["peer"] = b->info().name;
  identity["seed"] = options.seed;
  LinkReport report(options.report, {a->info().name, b->info().name}, identity);
  const Report metrics(options.report, identity, [&report] { return report.so_far(); });
  const Ticks ticks{options.report.interval,
                    [&](const Traffic& traffic) { report.interval(log.take(), traffic); },
                    &metrics};
  std::vector<Task> tasks;
  tasks.push_back(
      {[&emulator](Counters& counters) { return emulator.run(counters); }, options.cpu});
  const auto total = run(std::move(tasks), ticks,
                         {.alone = "nothing has moved yet: neither port has received anything",
                          .silence = options.silence});
  if (!total) return std::unexpected(total.error());
  report.total(log.take(), *total);
  for (const netmap::Port* port : {&*a, &*b}) say_faults(options.faults, {port, 1});
  return 0;
}

void add_link_options(CLI::App& app, EmulateOptions& options) {
  add_line_options(app, options.link);
  app.add_option("--seed", options.seed, "Of the random numbers: the same makes the same choices")
      ->capture_default_str();
}

}  // namespace

Command add_emulate(CLI::App& nmx) {
  auto options = std::make_shared<EmulateOptions>();
  CLI::App* app = nmx.add_subcommand(
      "emulate", "Be a link between two ports, with delay, bandwidth, loss, reordering");
  app->add_option("ports,-i,--port", options->ports, "The two ports, A and B")
      ->type_name("PORT")
      ->expected(2)
      ->required();
  add_link_options(*app, *options);
  add_batch_option(*app, options->batch);
  add_spin_option(*app, options->spin);
  app->get_option("--spin")->description(
      "Never sleep, or after so long, and wake so long before a packet is due [50us]");
  app->add_option("-a,--cpu", options->cpu, "CPU of the thread");
  add_silence_option(*app, options->silence);
  add_link_option(*app, options->link_wait);
  add_device_options(*app, options->device);
  add_fault_option(*app, options->faults);
  add_report_options(*app, options->report);
  return {app, [options] { return emulate(*options); }};
}

}  // namespace nmx
