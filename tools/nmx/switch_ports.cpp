// SPDX-License-Identifier: BSD-2-Clause
#include "switch_ports.hpp"

#include "interface.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <tuple>

namespace nmx {
namespace {

using netmap::OpenPort;
using netmap::PortCounts;
using netmap::Result;
using netmap::RingStats;

void add(RingStats& to, const RingStats& more) {
  to.packets += more.packets;
  to.bytes += more.bytes;
}

bool is_same(const OpenPort& a, const OpenPort& b) {
  return a.name == b.name && a.process == b.process;
}

/// Puts it beside the others, or to that which it is another part of.
void add(std::vector<OpenPort>& ports, OpenPort port) {
  const auto same =
      std::ranges::find_if(ports, [&](const auto& one) { return is_same(one, port); });
  if (same == ports.end()) return ports.push_back(std::move(port));
  if (!same->counts || !port.counts) return;
  add(same->counts->tx, port.counts->tx);
  add(same->counts->rx, port.counts->rx);
  same->counts->dropped += port.counts->dropped;
}

bool is_pipe(const OpenPort& port) {
  return port.name.find_first_of("{}") != std::string::npos;
}

/// A VALE interface that is on no switch is open nowhere.
bool is_of_vale(const OpenPort& port) {
  return (port.name.starts_with("vale") && !is_pipe(port)) || port.process == 0;
}

/// A count that went back has begun anew.
std::uint64_t difference(std::uint64_t before, std::uint64_t now) {
  return now < before ? now : now - before;
}
RingStats difference(const RingStats& before, const RingStats& now) {
  return {difference(before.packets, now.packets), difference(before.bytes, now.bytes)};
}

/// A field that there is nothing to put into.
constexpr const char* unknown = "-";

std::string process_of(const OpenPort& port) {
  return port.process == 0 ? unknown : std::to_string(port.process);
}
/// Its number and name.
std::string program_of(const OpenPort& port) {
  if (port.process == 0) return unknown;
  return fmt::format("{} {}", port.process, first_line(fmt::format("/proc/{}/comm", port.process)));
}
std::string memory_of(const OpenPort& port) {
  return port.memory_id == 0 ? unknown : std::to_string(port.memory_id);
}

}  // namespace

Result<std::vector<OpenPort>> ports_of(const std::string& vale,
                                       const netmap::DeviceOptions& device) {
  auto open = netmap::open_ports(device);
  if (!open) return open;
  std::vector<OpenPort> ports;
  for (OpenPort& port : *open) {
    const bool is_wanted = vale.empty() || port.name.starts_with(vale + ":");
    if (is_wanted && is_of_vale(port)) ports.push_back(std::move(port));
  }
  ports = merged(std::move(ports));
  if (ports.empty() && !vale.empty()) {
    return std::unexpected(netmap::Error(
        std::make_error_code(std::errc::no_such_file_or_directory),
        fmt::format("there is no switch '{}'; 'nmx switch list' shows those that there are",
                    vale)));
  }
  std::ranges::sort(ports, {},
                    [](const OpenPort& port) { return std::tie(port.name, port.process); });
  return ports;
}

std::vector<OpenPort> merged(std::vector<OpenPort> ports) {
  std::vector<OpenPort> all;
  for (OpenPort& port : ports) add(all, std::move(port));
  return all;
}

std::string port_table(const std::vector<OpenPort>& ports) {
  std::string table =
      fmt::format("{:<20} {:>6} {:>8} {:>12} {:>15} {:>12} {:>15} {:>10}\n", "port", "memory",
                  "process", "sent", "bytes", "received", "bytes", "dropped");
  for (const OpenPort& port : ports) {
    table += fmt::format("{:<20} {:>6} {:>8}", port.name, memory_of(port), process_of(port));
    if (port.counts) {
      const auto& [tx, rx, dropped] = *port.counts;
      table += fmt::format(" {:>12} {:>15} {:>12} {:>15} {:>10}", tx.packets, tx.bytes, rx.packets,
                           rx.bytes, dropped);
    }
    table += '\n';
  }
  return table;
}

Json to_json(const OpenPort& port) {
  Json json{{"name", port.name}};
  if (port.memory_id != 0) json["memory_id"] = port.memory_id;
  if (port.process != 0) json["process"] = port.process;
  if (!port.counts) return json;
  const auto& [tx, rx, dropped] = *port.counts;
  json["tx"] = {{"packets", tx.packets}, {"bytes", tx.bytes}};
  json["rx"] = {{"packets", rx.packets}, {"bytes", rx.bytes}};
  json["dropped"] = dropped;
  return json;
}

std::vector<OpenPort> moved_since(const std::vector<OpenPort>& before, std::vector<OpenPort> now) {
  for (OpenPort& port : now) {
    const auto same =
        std::ranges::find_if(before, [&](const auto& one) { return is_same(one, port); });
    if (same == before.end() && is_pipe(port)) port.counts = PortCounts{};
    if (same == before.end() || !same->counts || !port.counts) continue;
    const PortCounts& old = *same->counts;
    PortCounts& counts = *port.counts;
    counts = {difference(old.tx, counts.tx), difference(old.rx, counts.rx),
              difference(old.dropped, counts.dropped)};
  }
  return now;
}

std::string rate_table(const std::vector<OpenPort>& moved, std::chrono::duration<double> time) {
  // Bits last: they may be cut off where a line is 80 wide.
  std::string table = fmt::format("{:<20} {:<16} {:>12} {:>12} {:>12} {:>12} {:>12}\n", "port",
                                  "process", "sent", "received", "dropped", "sent", "received");
  const auto rate = [&](std::uint64_t count, const char* unit) {
    return scaled(static_cast<double>(count) / time.count(), unit);
  };
  for (const OpenPort& port : moved) {
    table += fmt::format("{:<20} {:<16.16}", port.name, program_of(port));
    if (port.counts) {
      const auto& [tx, rx, dropped] = *port.counts;
      table += fmt::format(" {:>12} {:>12} {:>12} {:>12} {:>12}", rate(tx.packets, "pps"),
                           rate(rx.packets, "pps"), rate(dropped, "pps"), rate(8 * tx.bytes, "bps"),
                           rate(8 * rx.bytes, "bps"));
    }
    table += '\n';
  }
  return table;
}

}  // namespace nmx
