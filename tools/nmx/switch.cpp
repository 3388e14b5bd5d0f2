// SPDX-License-Identifier: BSD-2-Clause
#include "switch.hpp"

#include "ports.hpp"
#include "tell.hpp"

#include <netmap/control.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace nmx {
namespace {

using netmap::DeviceOptions;
using netmap::Result;

/// What a subcommand does with the port it is given; what it then says that it did.
using Deed = std::function<Result<std::string>(const std::string&, const DeviceOptions&)>;

Result<std::string> create(const std::string& name, const DeviceOptions& device) {
  const auto made = netmap::make_vale_interface(name, device);
  if (!made) return std::unexpected(made.error());
  const netmap::PortConf& conf = made->conf;
  return fmt::format("made '{}': memory id {}, rings x slots: {} x {} tx, {} x {} rx", made->name,
                     made->memory_id, conf.tx_rings, conf.tx_slots, conf.rx_rings, conf.rx_slots);
}

/// Of a request that answers nothing.
template <class Request>
Deed say(Request request, const char* done) {
  return [=](const std::string& name, const DeviceOptions& device) -> Result<std::string> {
    if (auto told = request(name, device); !told) return std::unexpected(told.error());
    return fmt::format("{} '{}'", done, name);
  };
}

Command add_deed(CLI::App& parent, const std::string& name, const char* what, const char* argument,
                 Deed deed) {
  auto options = std::make_shared<SwitchOptions>();
  CLI::App* app = parent.add_subcommand(name, what);
  app->add_option("name", options->name, argument)->type_name("NAME")->required();
  add_device_options(*app, options->device);
  return {app, [options, name, deed = std::move(deed)]() -> Result<int> {
            if (auto info = introduce(name, options->device); !info) {
              return std::unexpected(info.error());
            }
            const auto done = deed(options->name, options->device);
            if (!done) return std::unexpected(done.error());
            tell("nmx switch {}: {}\n", name, *done);
            return 0;
          }};
}

}  // namespace

Result<netmap::PortInfo> introduce(const std::string& command, const DeviceOptions& device) {
  auto info = netmap::port_info("", device);
  if (!info) return info;
  const std::string domain = info->domain.empty() ? "" : ", domain " + info->domain;
  tell("nmx switch {}: {} device{}\n", command, to_string(info->device), domain);
  return info;
}

Command add_switch(CLI::App& nmx) {
  CLI::App* app = nmx.add_subcommand(
      "switch", "Look at VALE switches, count what they move, make and attach ports that stay");
  app->require_subcommand(1);
  const std::vector commands{
      add_switch_list(*app),
      add_switch_watch(*app),
      add_switch_info(*app),
      add_switch_run(*app),
      add_deed(*app, "create", "Make a VALE interface, a port that stays until it is removed",
               "v0, v0@conf:rings=2,slots=512, or v0@3: in the memory of that id", create),
      add_deed(*app, "remove", "Remove a VALE interface", "v0",
               say(netmap::remove_vale_interface, "removed")),
      add_deed(*app, "attach", "Put an interface on a switch, which is made if need be",
               "vale0:v0; on the kernel device vale0:eth0, too, or vale0:eth0* with its host rings",
               say(netmap::attach_to_switch, "attached")),
      add_deed(*app, "detach", "Take an interface away from a switch", "vale0:v0",
               say(netmap::detach_from_switch, "detached"))};
  return {app, [commands] {
            return std::ranges::find_if(commands,
                                        [](const Command& one) { return one.app->parsed(); })
                ->run();
          }};
}

}  // namespace nmx
