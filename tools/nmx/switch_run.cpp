// SPDX-License-Identifier: BSD-2-Clause
//
// nmx switch run: a port, a network card above all, on a switch as long as this process runs. The
// kernel module has threads for it, and 'nmx switch attach'; the embedded device has none.
#include "bridge.hpp"
#include "interface.hpp"
#include "switch.hpp"

#include <netmap/control.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string>

namespace nmx {
namespace {

using netmap::Error;
using netmap::Result;

constexpr std::size_t longest_name = netmap::abi::interface_name_size - 1;

/// Be it the system's, or one of VALE's.
bool is_interface(const std::string& name, const netmap::DeviceOptions& device) {
  const auto names = interface_names();
  if (std::ranges::find(names, name) != names.end()) return true;
  const auto ports = netmap::open_ports(device);
  return ports && std::ranges::find(*ports, name, &netmap::OpenPort::name) != ports->end();
}

/// What a port is called on a switch: as it is elsewhere, but for characters that a VALE port's
/// name had better not have, and for an interface's name, which no VALE port may have.
std::string name_on_switch(const netmap::PortName& port, const netmap::DeviceOptions& device) {
  std::string name = port.capture ? "capture" : port.name;
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  name.resize(std::min(name.size(), longest_name));
  if (!is_interface(name, device)) return name;
  name.resize(std::min(name.size(), longest_name - 1));
  return name + '_';
}

/// The port on the switch, whose name the user may have given behind the colon.
Result<std::string> outlet(const std::string& vale, const std::string& port,
                           const netmap::DeviceOptions& device) {
  if (!vale.starts_with("vale")) {
    return std::unexpected(Error(
        netmap::errc::bad_name,
        fmt::format("'{}' is no switch; their names begin with 'vale', as in 'vale0'", vale)));
  }
  if (vale.find(':') != std::string::npos) return vale;
  const auto name = netmap::parse_port_name(port);
  if (!name) return std::unexpected(name.error());
  return vale + ":" + name_on_switch(*name, device);
}

}  // namespace

Command add_switch_run(CLI::App& parent) {
  struct RunOptions : BridgeOptions {
    std::string vale;
    std::string port;
  };
  auto options = std::make_shared<RunOptions>();
  CLI::App* app = parent.add_subcommand(
      "run", "Serve a port on a switch while this runs, a network card or any other");
  app->add_option("switch", options->vale, "vale0, or vale0:NAME to choose its name there")
      ->type_name("SWITCH")
      ->required();
  app->add_option("port", options->port, "eth0, 'x{1', pcap:FILE, …")
      ->type_name("PORT")
      ->required();
  add_bridge_options(*app, *options);
  return {app, [options]() -> Result<int> {
            auto name = outlet(options->vale, options->port, options->device);
            if (!name) return std::unexpected(name.error());
            options->ports = {options->port, *name};
            return bridge("switch run", *options);
          }};
}

}  // namespace nmx
