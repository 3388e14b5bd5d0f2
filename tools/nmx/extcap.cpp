// SPDX-License-Identifier: BSD-2-Clause
//
// What Wireshark asks of a program in its extcap folder, extcap(4): which interfaces there are,
// what they carry, what can be set, and to capture from one into a FIFO.
//
// An interface of Wireshark's is a port that is open, watched by a monitor; "netmap" is whichever
// port its option names. Braces belong to Wireshark's own grammar: in a name they are parentheses.
#include "capture.hpp"

#include "packet_filter.hpp"

#include <netmap/control.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace nmx {
namespace {

using netmap::Error;
using netmap::Result;

constexpr std::string_view any_port = "netmap";

struct ExtcapOptions {
  bool lists = false;
  bool tells_link_types = false;
  bool tells_options = false;
  bool captures = false;
  std::string interface;
  CaptureOptions capture;
};

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (char& c : text) {
    if (const auto at = from.find(c); at != std::string_view::npos) c = to[at];
  }
  return text;
}

std::string interface_of(const std::string& port) {
  return replaced(port, "{}", "()");
}

/// Those that can be watched.
std::set<std::string> open_ports() {
  std::set<std::string> names;
  const auto ports = netmap::open_ports();
  if (!ports) return names;  // "netmap" will say why
  for (const netmap::OpenPort& port : *ports) {
    if (port.process != 0) names.insert(port.name);
  }
  return names;
}

void list() {
  fmt::print("extcap {{version=1.0}}{{display=netmap ports}}\n");
  fmt::print("interface {{value={}}}{{display=netmap: the port of your choice}}\n", any_port);
  for (const std::string& port : open_ports()) {
    const std::string name = interface_of(port);
    fmt::print("interface {{value={0}}}{{display=netmap: monitor of {0}}}\n", name);
  }
}

void tell_options(const std::string& interface) {
  if (interface != any_port) return;
  fmt::print(
      "arg {{number=0}}{{call=--port}}{{display=Port}}{{type=string}}{{required=true}}"
      "{{tooltip=eth0, vale0:a, or a monitor such as vale0:a/rt}}\n");
}

Result<int> capture_from(const ExtcapOptions& options) {
  CaptureOptions wanted = options.capture;
  wanted.report.quiet = true;  // Wireshark shows as an error whatever is said
  if (options.interface != any_port) {
    wanted.port = replaced(options.interface, "()", "{}") + "/rt";
  } else if (wanted.port.empty()) {
    return std::unexpected(Error(std::make_error_code(std::errc::invalid_argument),
                                 "the interface 'netmap' needs a port; set it in Wireshark's "
                                 "interface options, or 'tshark -o extcap.netmap.port:PORT'"));
  }
  return capture(wanted);
}

Result<int> extcap(const ExtcapOptions& options) {
  if (options.captures) return capture_from(options);
  if (options.lists) {
    list();
  } else if (options.tells_link_types) {
    fmt::print("dlt {{number=1}}{{name=EN10MB}}{{display=Ethernet}}\n");
  } else if (options.tells_options) {
    tell_options(options.interface);
  } else if (!options.capture.filter.empty()) {  // is it one?
    const auto compiled = PacketFilter::compile(options.capture.filter);
    if (!compiled) fmt::print("{}\n", compiled.error().message());
  } else {
    return std::unexpected(Error(std::make_error_code(std::errc::invalid_argument),
                                 "extcap is for Wireshark to call; 'nmx capture' is for you"));
  }
  return 0;
}

}  // namespace

Command add_extcap(CLI::App& nmx) {
  auto options = std::make_shared<ExtcapOptions>();
  CLI::App* app = nmx.add_subcommand("extcap", "What Wireshark calls to capture from ports");
  app->add_flag("--extcap-interfaces", options->lists, "List interfaces");
  app->add_flag("--extcap-dlts", options->tells_link_types, "Tell an interface's link types");
  app->add_flag("--extcap-config", options->tells_options, "Tell an interface's options");
  app->add_flag("--capture", options->captures, "Capture");
  app->add_option("--extcap-interface", options->interface, "The interface")->type_name("NAME");
  app->add_option("--fifo", options->capture.output, "Where the capture goes")->type_name("FILE");
  app->add_option("--extcap-capture-filter", options->capture.filter, "Only these packets")
      ->type_name("FILTER");
  app->add_option("--port", options->capture.port, "Of the interface 'netmap': the port")
      ->type_name("PORT");
  app->allow_extras();  // later versions say more, as --extcap-version=4.0
  return {app, [options] { return extcap(*options); }};
}

}  // namespace nmx
