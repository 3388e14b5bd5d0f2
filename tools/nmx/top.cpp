// SPDX-License-Identifier: BSD-2-Clause
#include "metrics.hpp"
#include "options.hpp"
#include "ports.hpp"
#include "screen.hpp"
#include "stop.hpp"
#include "switch_ports.hpp"
#include "traffic.hpp"

#include <netmap/control.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <thread>
#include <utility>

namespace nmx {
namespace {

using netmap::OpenPort;
using netmap::Result;

struct TopOptions {
  netmap::DeviceOptions device;
  std::uint64_t count = 0;  ///< 0: no end
  std::chrono::milliseconds interval{1000};
  bool as_json = false;
  std::string metrics;
};

/// What moved between two looks.
struct Look {
  std::vector<OpenPort> moved;
  std::chrono::duration<double> time;
};

/// Looks again and again.
class Watcher {
 public:
  explicit Watcher(const netmap::DeviceOptions& device) : device_(device) {}

  /// Since the one before; the first shows what is there, without counts.
  Result<Look> look() {
    auto found = netmap::open_ports(device_);
    if (!found) return std::unexpected(found.error());
    auto ports = merged(std::move(*found));
    std::ranges::sort(ports, {}, &OpenPort::name);
    const auto now = Clock::now();
    Look look{moved_since(before_, ports), now - then_};
    if (std::exchange(is_first_, false)) {
      for (OpenPort& port : look.moved) port.counts.reset();
    }
    before_ = std::move(ports);
    then_ = now;
    return look;
  }

 private:
  netmap::DeviceOptions device_;
  bool is_first_ = true;
  std::vector<OpenPort> before_;
  Clock::time_point then_ = Clock::now();
};

std::size_t switches_in(const std::vector<OpenPort>& ports) {
  std::set<std::string> names;
  for (const OpenPort& port : ports) {
    if (port.name.starts_with("vale")) names.insert(port.name.substr(0, port.name.find(':')));
  }
  return names.size();
}

std::string title(const netmap::PortInfo& info, const std::vector<OpenPort>& ports) {
  const std::string where = info.domain.empty() ? "" : ", domain " + info.domain;
  return fmt::format(
      "nmx top: {} device{}, ports: {}, switches: {}   {:%H:%M:%S}   q: quit, s: sort",
      to_string(info.device), where, ports.size(), switches_in(ports),
      fmt::localtime(std::time(nullptr)));
}

std::uint64_t packets_of(const OpenPort& port) {
  return port.counts ? port.counts->tx.packets + port.counts->rx.packets : 0;
}

/// Until a key asks for the end.
Result<int> show(Screen& screen, const TopOptions& options, const netmap::PortInfo& info) {
  Watcher watcher(options.device);
  bool busiest_first = false;
  auto next = Clock::now();
  Result<Look> look;
  while (!stop_requested()) {
    if (Clock::now() >= next) {
      look = watcher.look();
      if (!look) return std::unexpected(look.error());
      next += options.interval;
    }
    if (busiest_first) std::ranges::sort(look->moved, std::greater(), packets_of);
    screen.show(title(info, look->moved), rate_table(look->moved, look->time));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
    const int key = screen.key(std::clamp(left, std::chrono::milliseconds(0), slice));
    if (key == 'q') return 0;
    if (key == 's') busiest_first = !busiest_first;
  }
  return 0;
}

void print_look(const TopOptions& options, const netmap::PortInfo& info, const Look& look) {
  if (!options.as_json) {
    fmt::print("{}\n", rate_table(look.moved, look.time));
    std::fflush(stdout);
    return;
  }
  Json json{{"device", std::string(to_string(info.device))}};
  if (!info.domain.empty()) json["domain"] = info.domain;
  json["seconds"] = look.time.count();
  json["ports"] = Json::array();
  for (const OpenPort& port : look.moved) json["ports"].push_back(to_json(port));
  print(json);
}

Result<int> print_all(const TopOptions& options, const netmap::PortInfo& info) {
  Watcher watcher(options.device);
  if (auto first = watcher.look(); !first) return std::unexpected(first.error());
  auto next = Clock::now() + options.interval;
  for (std::uint64_t shown = 0; options.count == 0 || shown != options.count; ++shown) {
    while (!stop_requested() && Clock::now() < next) {
      std::this_thread::sleep_for(std::min<Clock::duration>(slice, next - Clock::now()));
    }
    if (stop_requested()) return 0;
    next += options.interval;
    const auto look = watcher.look();
    if (!look) return std::unexpected(look.error());
    print_look(options, info, *look);
  }
  return 0;
}

std::vector<Figure> figures(const netmap::DeviceOptions& device) {
  std::vector<Figure> figures;
  const auto ports = netmap::open_ports(device);
  if (!ports) return figures;
  for (const OpenPort& port : merged(*ports)) {
    const std::vector<std::pair<std::string, std::string>> labels{
        {"port", port.name}, {"process", std::to_string(port.process)}};
    const auto add = [&](const char* name, std::uint64_t value) {
      figures.push_back({name, static_cast<double>(value), labels});
    };
    add("nmx_port_open", 1);
    if (!port.counts) continue;
    add("nmx_port_sent_packets_total", port.counts->tx.packets);
    add("nmx_port_sent_bytes_total", port.counts->tx.bytes);
    add("nmx_port_received_packets_total", port.counts->rx.packets);
    add("nmx_port_received_bytes_total", port.counts->rx.bytes);
    add("nmx_port_dropped_packets_total", port.counts->dropped);
  }
  return figures;
}

Result<int> top(const TopOptions& options) {
  const auto info = netmap::port_info("", options.device);
  if (!info) return std::unexpected(info.error());
  std::optional<Metrics> metrics;
  if (!options.metrics.empty()) {
    auto served = Metrics::serve(options.metrics, [&options] { return figures(options.device); });
    if (!served) return std::unexpected(served.error());
    metrics = std::move(*served);
  }
  const bool is_plain = options.as_json || options.count != 0;
  if (auto screen = is_plain ? std::nullopt : Screen::open()) return show(*screen, options, *info);
  return print_all(options, *info);
}

}  // namespace

Command add_top(CLI::App& nmx) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* app =
      nmx.add_subcommand("top", "Watch all ports of a domain, full screen: rates, programs, drops");
  app->add_option("-n,--count", options->count, "Print so many tables and end [full screen]")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62));
  add_interval_option(*app, options->interval);
  app->add_flag("--json", options->as_json, "Print an object each time instead")
      ->group(report_group);
  add_metrics_option(*app, options->metrics);
  add_device_options(*app, options->device);
  app->footer(
      "Pipes and VALE ports of the embedded device are counted; the kernel module counts nothing,\n"
      "and names the ports of its switches only.");
  return {app, [options] { return top(*options); }};
}

}  // namespace nmx
