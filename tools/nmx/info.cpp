// SPDX-License-Identifier: BSD-2-Clause
#include "interface.hpp"
#include "options.hpp"
#include "ports.hpp"

#include <netmap/control.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace nmx {
namespace {

using netmap::PortInfo;
using netmap::Result;

constexpr std::uintmax_t mebibyte = 1 << 20;
constexpr const char* device_file = "/dev/netmap";

struct InfoOptions {
  netmap::DeviceOptions device;
  std::string port;
  bool as_json = false;
};

/// What usually bites, and how to have it stop.
struct Warning {
  std::string problem;
  std::string remedy;
};

struct Facts {
  Json json = Json::object();
  std::vector<Warning> warnings;
};

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

void look_at_module(Facts& facts) {
  Json& module = facts.json["module"];
  module["loaded"] = exists("/sys/module/netmap") || exists(device_file);
  if (const auto version = first_line("/sys/module/netmap/version"); !version.empty()) {
    module["version"] = version;
  }
  if (exists(device_file) && ::access(device_file, R_OK | W_OK) != 0) {
    facts.warnings.push_back(
        {fmt::format("you have no rights on {}", device_file),
         fmt::format("run as root, or 'chgrp netmap {0}; chmod 660 {0}' and join that group; or "
                     "use --device embedded",
                     device_file)});
  }
}

void look_at_domain(const std::string& domain, Facts& facts) {
  std::error_code failed;
  const auto space = std::filesystem::space(domain, failed);
  if (failed) return;
  facts.json["domain_free_bytes"] = space.available;
  if (space.available >= 16 * mebibyte) return;
  facts.warnings.push_back(
      {fmt::format("only {:.1f} MiB are free on the file system of {}",
                   static_cast<double>(space.available) / mebibyte, domain),
       "'mount -o remount,size=1G /dev/shm', or 'docker run --shm-size=1g', or another directory "
       "with NETMAP_DOMAIN"});
}

void add_port(const PortInfo& info, Facts& facts) {
  const netmap::PortConf& conf = info.conf;
  facts.json["port"] = {{"name", info.name},
                        {"tx_rings", conf.tx_rings},
                        {"rx_rings", conf.rx_rings},
                        {"host_tx_rings", conf.host_tx_rings},
                        {"host_rx_rings", conf.host_rx_rings},
                        {"tx_slots", conf.tx_slots},
                        {"rx_slots", conf.rx_slots}};
}

void look_at_open_ports(const netmap::DeviceOptions& device, Facts& facts) {
  facts.json["open_ports"] = Json::array();
  const auto ports = netmap::open_ports(device);
  if (!ports) return;
  for (const netmap::OpenPort& port : *ports) {
    Json found{{"name", port.name}, {"memory_id", port.memory_id}, {"process", port.process}};
    if (port.xdp) found["xdp"] = std::string(to_string(*port.xdp));
    facts.json["open_ports"].push_back(std::move(found));
  }
}

std::string open_port_line(const Json& port) {
  const char* const is_there = port["process"] == 0 ? "there      " : "open       ";
  std::string line = is_there + port["name"].get<std::string>();
  if (port.contains("xdp")) line += fmt::format(" by {} XDP", port["xdp"].get<std::string>());
  if (port["process"] == 0) return line;
  return line + fmt::format(", memory id {}, by process {}", port["memory_id"].get<unsigned>(),
                            port["process"].get<unsigned>());
}

Json to_json(const Interface& interface) {
  return {{"name", interface.name}, {"driver", interface.driver},
          {"up", interface.is_up},  {"link", interface.has_link},
          {"mtu", interface.mtu},   {"offloads", interface.offloads}};
}

unsigned buffer_bytes() {
  const std::string set = first_line("/sys/module/netmap/parameters/buf_size");
  return set.empty() ? 2048 : static_cast<unsigned>(std::stoul(set));
}

void warn_of_interface(const Interface& interface, std::vector<Warning>& warnings) {
  constexpr unsigned ethernet_header = 18;  // with a VLAN tag
  const std::string& name = interface.name;
  if (!interface.is_up) {
    warnings.push_back({name + " is down", fmt::format("'ip link set {} up'", name)});
  } else if (!interface.has_link) {
    warnings.push_back({name + " has no link", "plug the cable in, or bring the other end up"});
  }
  if (!interface.offloads.empty()) {
    warnings.push_back(
        {fmt::format("offloads of {} are on ({}); host rings and emulated adapters show packets "
                     "without checksums or larger than the wire's",
                     name, fmt::join(interface.offloads, ", ")),
         fmt::format("'ethtool -K {} {} off'", name, fmt::join(interface.offloads, " off "))});
  }
  if (interface.mtu + ethernet_header > buffer_bytes()) {
    warnings.push_back(
        {fmt::format("the MTU of {}, {}, is larger than netmap's buffers of {} bytes", name,
                     interface.mtu, buffer_bytes()),
         fmt::format("'ip link set {} mtu 1500', or a larger buf_size of the module", name)});
  }
}

void look_at_interfaces(const std::string& port, Facts& facts) {
  for (const std::string& name : interface_names()) {
    const auto interface = look_at(name);
    if (!interface) continue;
    facts.json["interfaces"].push_back(to_json(*interface));
    if (name == port) warn_of_interface(*interface, facts.warnings);
  }
}

std::string interface_line(const Json& interface) {
  const std::string driver = interface["driver"];
  std::vector<std::string> parts{driver.empty() ? "no driver" : driver,
                                 interface["up"] ? "up" : "down",
                                 interface["link"] ? "link" : "no link",
                                 fmt::format("MTU {}", interface["mtu"].get<unsigned>())};
  return fmt::format("interface  {}: {}", interface["name"].get<std::string>(),
                     fmt::join(parts, ", "));
}

void print_text(const Facts& facts, const Result<PortInfo>& info) {
  const Json& json = facts.json;
  const Json& module = json["module"];
  if (info) {
    fmt::print("device     {}\n", to_string(info->device));
    if (!info->domain.empty()) fmt::print("domain     {}\n", info->domain);
    if (!info->name.empty()) fmt::print("port       {}\n", describe(*info));
    if (info->memory_bytes != 0)
      fmt::print("region     memory id {}, {} bytes\n", info->memory_id, info->memory_bytes);
  }
  fmt::print("module     {}\n", !module["loaded"] ? "not loaded"
                                : module.contains("version")
                                    ? "version " + module["version"].get<std::string>()
                                    : "loaded");
  for (const Json& port : json["open_ports"]) fmt::print("{}\n", open_port_line(port));
  for (const Json& interface : json["interfaces"]) fmt::print("{}\n", interface_line(interface));
  for (const Warning& warning : facts.warnings) {
    fmt::print("warning    {}\n  remedy   {}\n", warning.problem, warning.remedy);
  }
}

void print_json(Facts facts) {
  for (const Warning& warning : facts.warnings) {
    facts.json["warnings"].push_back({{"problem", warning.problem}, {"remedy", warning.remedy}});
  }
  fmt::print("{}\n", facts.json.dump());
}

Result<int> info(const InfoOptions& options) {
  const auto info = netmap::port_info(options.port, options.device);
  Facts facts;
  facts.json["interfaces"] = Json::array();
  if (info) {
    facts.json["device"] = to_string(info->device);
    facts.json["memory_id"] = info->memory_id;
    facts.json["memory_bytes"] = info->memory_bytes;
    if (!info->domain.empty()) {
      facts.json["domain"] = info->domain;
      look_at_domain(info->domain, facts);
    }
    if (!info->name.empty()) add_port(*info, facts);
  }
  look_at_open_ports(options.device, facts);
  look_at_module(facts);
  const auto name = netmap::parse_port_name(options.port);
  look_at_interfaces(name ? name->name : "", facts);
  if (options.as_json) {
    print_json(std::move(facts));
  } else {
    print_text(facts, info);
  }
  if (!info) return std::unexpected(info.error());
  return 0;
}

}  // namespace

Command add_info(CLI::App& nmx) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* app = nmx.add_subcommand("info", "Say what is here, and warn of what usually bites");
  app->add_option("port,-i,--port", options->port, "A port to look at")->type_name("PORT");
  app->add_flag("--json", options->as_json, "Print an object");
  add_device_options(*app, options->device);
  return {app, [options] { return info(*options); }};
}

}  // namespace nmx
