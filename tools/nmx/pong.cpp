// SPDX-License-Identifier: BSD-2-Clause
#include "fault_option.hpp"
#include "options.hpp"
#include "ponger.hpp"
#include "ports.hpp"
#include "tasks.hpp"
#include "tell.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

namespace nmx {
namespace {

using netmap::Error;
using netmap::Result;

constexpr MacAddress local{0x02, 0, 0, 0, 0, 0x02};

Result<int> pong(const PingPortOptions& options) {
  auto port = open_ping_port(options);
  if (!port) return std::unexpected(port.error());
  const netmap::PortInfo& info = port->info();
  tell("nmx pong: {}\n", describe(info));
  wait_for_link(info, options.link_wait);

  Ponger ponger(*port, mac_of(info, local), options.count != 0 ? options.count : UINT64_MAX);
  const Report report(options.report, identify("pong", info),
                      [&ponger] { return Remarks{.json = {{"ignored", ponger.ignored()}}}; });
  std::vector<Task> tasks;
  tasks.push_back({[&ponger](Counters& counters) { return ponger.run(counters); }, options.cpu});
  const auto total = run(std::move(tasks), report, {.alone = alone(info)});
  if (!total) return std::unexpected(total.error());
  report.total("answered", *total);
  say_faults(options.faults, {&*port, 1});
  if (ponger.ignored() != 0) {
    tell("{} packets were not UDP over IPv4, and not answered\n", ponger.ignored());
  }
  if (options.count != 0 && total->packets != options.count) {
    return std::unexpected(
        Error(std::make_error_code(std::errc::interrupted),
              fmt::format("stopped after {} of {} packets", total->packets, options.count)));
  }
  return 0;
}

}  // namespace

Command add_pong(CLI::App& nmx) {
  auto options = std::make_shared<PingPortOptions>();
  CLI::App* app = nmx.add_subcommand("pong", "Send pings back, nmx's and pkt-gen's");
  add_port_options(*app, *options);
  add_spin_option(*app, options->spin);
  return {app, [options] { return pong(*options); }};
}

}  // namespace nmx
