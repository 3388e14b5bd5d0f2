// SPDX-License-Identifier: BSD-2-Clause
#include "bridge.hpp"

#include "bridge_pump.hpp"
#include "fault_option.hpp"
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

/// The name of the port's own host rings.
Result<std::string> host_side(const std::string& port) {
  auto name = netmap::parse_port_name(port);
  if (!name) return std::unexpected(name.error());
  if (name->capture) {
    return std::unexpected(Error(netmap::errc::conflicting_options,
                                 fmt::format("'{}' has no host rings to be bridged to; give a "
                                             "second port",
                                             port)));
  }
  if (name->selection != netmap::RingSelection::all_nic) {
    return std::unexpected(Error(
        netmap::errc::conflicting_options,
        fmt::format("bridging '{}' alone, to its own host rings, leaves the choice of rings to "
                    "nmx; give its name without one, or a second port",
                    port)));
  }
  name->selection = netmap::RingSelection::host;
  return to_string(*name);
}

/// The ports that were asked for, one if it is to be bridged to itself.
Result<std::vector<netmap::Port>> open_both(const BridgeOptions& options) {
  std::vector<std::string> names = options.ports;
  if (names.size() == 1 && !options.is_loop) {
    auto host = host_side(names.front());
    if (!host) return std::unexpected(host.error());
    names.push_back(*host);
  }
  std::vector<netmap::Port> ports;
  for (const std::string& name : names) {
    auto port = open_port(name, options.device, options.faults);
    if (!port) return std::unexpected(port.error());
    ports.push_back(std::move(*port));
  }
  return ports;
}

}  // namespace

Result<int> bridge(const std::string& command, const BridgeOptions& options) {
  auto ports = open_both(options);
  if (!ports) return std::unexpected(ports.error());
  netmap::Port& a = ports->front();
  netmap::Port& b = ports->back();

  BridgePump pump(a, b, options.batch);
  if (!pump.has_a_way()) {
    return std::unexpected(
        Error(netmap::errc::no_such_ring,
              fmt::format("neither of '{}' and '{}' has rx rings while the other has tx rings",
                          a.info().name, b.info().name)));
  }
  tell("nmx {}: {} between {}; and {}\n", command, pump.is_zero_copy() ? "zero-copy" : "copy",
       describe(a.info()), describe(b.info()));
  wait_for_link(is_interface(a.info()) ? a.info() : b.info(), options.link_wait);

  Json identity = identify(command.c_str(), a.info());
  identity["peer"] = b.info().name;
  identity["zero_copy"] = pump.is_zero_copy();
  const Report report(options.report, identity, [&pump] {
    return Remarks{.json = {{"forward", pump.forward()}, {"backward", pump.backward()}}};
  });
  std::vector<Task> tasks;
  tasks.push_back({[&pump](Counters& counters) { return pump.run(counters); }, {}});
  const auto total = run(std::move(tasks), report,
                         {.alone = "nothing has moved yet: neither port has received anything",
                          .silence = options.silence});
  if (!total) return std::unexpected(total.error());
  report.total("forwarded", *total);
  for (const netmap::Port& port : *ports) say_faults(options.faults, {&port, 1});
  if (pump.left() != 0) {
    tell("{} slots were sent, but nobody has taken them\n", pump.left());
  }
  return 0;
}

void add_bridge_options(CLI::App& app, BridgeOptions& options) {
  add_batch_option(app, options.batch);
  add_silence_option(app, options.silence);
  add_link_option(app, options.link_wait);
  add_device_options(app, options.device);
  add_fault_option(app, options.faults);
  add_report_options(app, options.report);
}

Command add_bridge(CLI::App& nmx) {
  auto options = std::make_shared<BridgeOptions>();
  CLI::App* app = nmx.add_subcommand(
      "bridge", "Forward both ways between two ports, or a port and its host's stack");
  app->add_option("ports,-i,--port", options->ports, "One or two ports")
      ->type_name("PORT")
      ->expected(1, 2)
      ->required();
  app->add_flag("-L,--loop", options->is_loop, "One port: send back what it receives");
  add_bridge_options(*app, *options);
  app->callback([options] {
    if (!options->is_loop || options->ports.size() == 1) return;
    throw CLI::ValidationError("--loop is for one port");
  });
  return {app, [options] { return bridge("bridge", *options); }};
}

}  // namespace nmx
