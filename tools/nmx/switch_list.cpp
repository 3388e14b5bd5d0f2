// SPDX-License-Identifier: BSD-2-Clause
//
// nmx switch list, watch and info: what there is, and what moves.
#include "interface.hpp"
#include "ports.hpp"
#include "stop.hpp"
#include "switch.hpp"
#include "switch_ports.hpp"
#include "tell.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <system_error>
#include <thread>

namespace nmx {
namespace {

using netmap::Error;
using netmap::OpenPort;
using netmap::Result;
using Clock = std::chrono::steady_clock;

struct WatchOptions : SwitchOptions {
  std::uint64_t count = 0;  ///< 0: no end
  std::chrono::milliseconds interval{1000};
};

Json identify(const netmap::PortInfo& info) {
  Json json{{"device", std::string(to_string(info.device))}};
  if (!info.domain.empty()) json["domain"] = info.domain;
  return json;
}

Json list_of(const std::vector<OpenPort>& ports) {
  Json json = Json::array();
  for (const OpenPort& port : ports) json.push_back(nmx::to_json(port));
  return json;
}

Result<int> list(const SwitchOptions& options) {
  const auto info = introduce("list", options.device);
  if (!info) return std::unexpected(info.error());
  const auto ports = ports_of(options.name, options.device);
  if (!ports) return std::unexpected(ports.error());
  if (options.as_json) {
    Json json = identify(*info);
    json["ports"] = list_of(*ports);
    print(json);
  } else if (ports->empty()) {
    tell("there are no switches; opening 'vale0:a' makes one\n");
  } else {
    fmt::print("{}", port_table(*ports));
  }
  return 0;
}

/// Sleeps, but for Ctrl-C.
void wait_until(Clock::time_point end) {
  while (!stop_requested() && Clock::now() < end) {
    std::this_thread::sleep_for(std::min<Clock::duration>(slice, end - Clock::now()));
  }
}

void show(const WatchOptions& options, const netmap::PortInfo& info,
          const std::vector<OpenPort>& moved, std::chrono::duration<double> time) {
  if (!options.as_json) {
    fmt::print("{}\n", rate_table(moved, time));
    std::fflush(stdout);
    return;
  }
  Json json = identify(info);
  json["seconds"] = time.count();
  json["ports"] = list_of(moved);
  print(json);
}

Result<int> watch(const WatchOptions& options) {
  const auto info = introduce("watch", options.device);
  if (!info) return std::unexpected(info.error());
  if (info->device == netmap::DeviceKind::kernel) {
    return std::unexpected(Error(netmap::errc::not_supported,
                                 "the kernel module counts nothing at the ports of its switches; "
                                 "'nmx switch list' shows which there are"));
  }
  auto before = ports_of(options.name, options.device);
  if (!before) return std::unexpected(before.error());
  auto then = Clock::now();
  for (std::uint64_t shown = 0; options.count == 0 || shown != options.count; ++shown) {
    wait_until(then + options.interval);
    if (stop_requested()) return 0;
    auto ports = ports_of(options.name, options.device);
    if (!ports) return std::unexpected(ports.error());
    const auto now = Clock::now();
    show(options, *info, moved_since(*before, *ports), now - then);
    before = std::move(ports);
    then = now;
  }
  return 0;
}

/// Those who have the port open. Fails if there is no such port, and if the question would do harm:
/// the module gives an interface that is on a switch its bare name back when it is asked about it,
/// by which the switch's name for it is lost (netmap_update_config()).
Result<std::vector<OpenPort>> users_of(const SwitchOptions& options, bool is_kernel) {
  auto ports = ports_of("", options.device);
  if (!ports) return ports;
  std::erase_if(*ports, [&](const OpenPort& port) { return port.name != options.name; });
  if (ports->empty()) {
    return std::unexpected(Error(
        std::make_error_code(std::errc::no_such_device_or_address),
        fmt::format("there is no VALE port '{}'; 'nmx switch list' shows those that there are",
                    options.name)));
  }
  const auto interfaces = interface_names();
  const std::string behind_colon = options.name.substr(options.name.find(':') + 1);
  if (is_kernel && std::ranges::find(interfaces, behind_colon) != interfaces.end()) {
    return std::unexpected(
        Error(netmap::errc::not_supported,
              fmt::format("if it were asked about '{}', the kernel module would forget that name "
                          "of an interface; detach it, and ask 'nmx info {}'",
                          options.name, behind_colon)));
  }
  return ports;
}

Json to_json(const netmap::PortInfo& port, std::uint32_t header) {
  Json json = identify(port);
  json["name"] = port.name;
  json["memory_id"] = port.memory_id;
  json["memory_bytes"] = port.memory_bytes;
  json["tx_rings"] = port.conf.tx_rings;
  json["rx_rings"] = port.conf.rx_rings;
  json["tx_slots"] = port.conf.tx_slots;
  json["rx_slots"] = port.conf.rx_slots;
  json["vnet_header"] = header;
  return json;
}

Result<int> info(const SwitchOptions& options) {
  const auto device = introduce("info", options.device);
  if (!device) return std::unexpected(device.error());
  const auto users = users_of(options, device->device == netmap::DeviceKind::kernel);
  if (!users) return std::unexpected(users.error());
  const auto port = netmap::port_info(options.name, options.device);
  if (!port) return std::unexpected(port.error());
  const auto header = netmap::vnet_header(options.name, options.device);
  if (!header) return std::unexpected(header.error());
  if (options.as_json) {
    Json json = to_json(*port, *header);
    json["users"] = list_of(*users);
    print(json);
  } else {
    fmt::print("{}\nmemory id {}, {} bytes\nvirtio-net header of {} bytes\n{}", describe(*port),
               port->memory_id, port->memory_bytes, *header, port_table(*users));
  }
  return 0;
}

void add_switch_argument(CLI::App& app, std::string& name) {
  app.add_option("switch", name, "One switch [all]")->type_name("SWITCH");
}

}  // namespace

Command add_switch_list(CLI::App& parent) {
  auto options = std::make_shared<SwitchOptions>();
  CLI::App* app = parent.add_subcommand("list", "Ports, who has them open, and what they moved");
  add_switch_argument(*app, options->name);
  app->add_flag("--json", options->as_json, "Print an object");
  add_device_options(*app, options->device);
  return {app, [options] { return list(*options); }};
}

Command add_switch_watch(CLI::App& parent) {
  auto options = std::make_shared<WatchOptions>();
  CLI::App* app = parent.add_subcommand("watch", "What ports move, every second until Ctrl-C");
  add_switch_argument(*app, options->name);
  app->add_option("-n,--count", options->count, "Stop after so many looks [no end]")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62));
  add_interval_option(*app, options->interval);
  app->add_flag("--json", options->as_json,
                "Print an object each time, of what moved since the last");
  add_device_options(*app, options->device);
  return {app, [options] { return watch(*options); }};
}

Command add_switch_info(CLI::App& parent) {
  auto options = std::make_shared<SwitchOptions>();
  CLI::App* app = parent.add_subcommand("info", "All about one port");
  app->add_option("name", options->name, "vale0:a, or a VALE interface")
      ->type_name("PORT")
      ->required();
  app->add_flag("--json", options->as_json, "Print an object");
  add_device_options(*app, options->device);
  return {app, [options] { return info(*options); }};
}

}  // namespace nmx
