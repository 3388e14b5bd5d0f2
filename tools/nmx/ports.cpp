// SPDX-License-Identifier: BSD-2-Clause
#include "ports.hpp"

#include "awake.hpp"
#include "interface.hpp"
#include "stop.hpp"
#include "tell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

namespace nmx {

using netmap::Direction;
using netmap::Error;
using netmap::PortInfo;
using netmap::Result;

namespace {

std::string rings(unsigned number, unsigned slots, const char* direction) {
  const char* plural = number == 1 ? "" : "s";
  if (number == 0) return fmt::format("no {} rings", direction);
  return fmt::format("{} {} ring{} of {} slots", number, direction, plural, slots);
}

Result<netmap::Port> open_ring(netmap::PortName& name, const TransferOptions& options) {
  auto port = open_port(to_string(name), options.device, options.faults);
  if (!port) return port;
  const auto& conf = port->info().conf;
  const unsigned rings = std::max(conf.tx_rings, conf.rx_rings);
  if (rings < options.threads) {
    return std::unexpected(
        Error(netmap::errc::no_such_ring,
              fmt::format("{} threads need {} rings, but '{}' has {}; use --threads {}, or "
                          "@conf:rings={} behind the name of a new pipe or VALE port",
                          options.threads, options.threads, port->info().name, rings, rings,
                          options.threads)));
  }
  // Of a pipe whose free end was asked for, the other threads need this same end.
  name.name = port->info().name;
  name.free_pipe_end = false;
  ++name.ring;
  return port;
}

Result<std::vector<netmap::Port>> open_rings(const TransferOptions& options) {
  auto name = netmap::parse_port_name(options.port);
  if (!name) return std::unexpected(name.error());
  if (name->selection != netmap::RingSelection::all_nic) {
    return std::unexpected(
        Error(netmap::errc::conflicting_options,
              fmt::format("'{}' selects rings, and so does --threads {}; drop one of the two",
                          options.port, options.threads)));
  }
  name->selection = netmap::RingSelection::one_nic;
  std::vector<netmap::Port> ports;
  while (ports.size() != options.threads) {
    auto port = open_ring(*name, options);
    if (!port) return std::unexpected(port.error());
    ports.push_back(std::move(*port));
  }
  return ports;
}

}  // namespace

Result<> check_rings(netmap::Port& port, Direction direction) {
  const bool is_tx = direction == Direction::tx;
  if (is_tx ? !port.tx_rings().empty() : !port.rx_rings().empty()) return {};
  const std::string remedy = is_capture(port.info())
                                 ? fmt::format("add {}=FILE to its name", is_tx ? "tx" : "rx")
                                 : fmt::format("drop the /{} of its name", is_tx ? 'R' : 'T');
  return std::unexpected(Error(netmap::errc::no_such_ring,
                               fmt::format("'{}' is open without {} rings; {}", port.info().name,
                                           is_tx ? "tx" : "rx", remedy)));
}

Result<netmap::Port> open_port(const std::string& name, const netmap::DeviceOptions& device,
                               const std::optional<netmap::Faults>& faults) {
  auto port = netmap::open(name, {.device = device, .faults = faults});
  if (port && port->info().device == netmap::DeviceKind::embedded) port->set_spin(default_spin);
  return port;
}

Result<std::vector<netmap::Port>> open_ports(const TransferOptions& options, Direction direction) {
  std::vector<netmap::Port> ports;
  if (options.threads > 1) {
    auto opened = open_rings(options);
    if (!opened) return opened;
    ports = std::move(*opened);
  } else {
    auto opened = open_port(options.port, options.device, options.faults);
    if (!opened) return std::unexpected(opened.error());
    ports.push_back(std::move(*opened));
  }
  for (netmap::Port& port : ports) {
    if (auto checked = check_rings(port, direction); !checked) {
      return std::unexpected(checked.error());
    }
  }
  return ports;
}

Result<netmap::Port> open_ping_port(const PingPortOptions& options) {
  auto port = open_port(options.port, options.device, options.faults);
  if (!port) return port;
  for (const Direction direction : {Direction::rx, Direction::tx}) {
    if (auto checked = check_rings(*port, direction); !checked) {
      return std::unexpected(checked.error());
    }
  }
  if (options.spin) port->set_spin(*options.spin);
  return port;
}

std::string describe(const PortInfo& info) {
  const std::string domain = info.domain.empty() ? "" : fmt::format(", domain {}", info.domain);
  const std::string xdp = info.xdp ? fmt::format(" by {} XDP", to_string(*info.xdp)) : "";
  return fmt::format("{} device{}, port '{}'{}, {}, {}", to_string(info.device), domain, info.name,
                     xdp, rings(info.conf.tx_rings, info.conf.tx_slots, "tx"),
                     rings(info.conf.rx_rings, info.conf.rx_slots, "rx"));
}

Json identify(const char* command, const PortInfo& info) {
  Json identity{
      {"command", command}, {"port", info.name}, {"device", std::string(to_string(info.device))}};
  if (!info.domain.empty()) identity["domain"] = info.domain;
  if (info.xdp) identity["xdp"] = std::string(to_string(*info.xdp));
  return identity;
}

bool is_capture(const PortInfo& info) {
  return info.device == netmap::DeviceKind::pcap;
}

bool is_pipe(const PortInfo& info) {
  return !is_capture(info) && info.name.find_first_of("{}") != std::string::npos;
}

bool is_interface(const PortInfo& info) {
  return info.device == netmap::DeviceKind::kernel && !is_pipe(info) &&
         !info.name.starts_with("vale");
}

MacAddress mac_of(const PortInfo& info, const MacAddress& otherwise) {
  const bool has_one = is_interface(info) || info.xdp.has_value();
  return has_one ? mac_of(info.name).value_or(otherwise) : otherwise;
}

Result<> check_apart(const std::string& port, const std::string& read, const std::string& written) {
  const auto name = netmap::parse_port_name(port);
  if (!name || !name->capture) return {};
  const auto is_same = [](const std::string& one, const std::string& other) {
    std::error_code unknown;
    return std::filesystem::equivalent(one, other, unknown) &&
           std::filesystem::is_regular_file(one, unknown);
  };
  if (!is_same(name->capture->tx, read) && !is_same(name->capture->rx, written)) return {};
  return std::unexpected(
      Error(netmap::errc::conflicting_options,
            fmt::format("'{}' is the file that '{}' means, and cannot be read and written at once",
                        read.empty() ? written : read, port)));
}

bool is_end(const Error& error) {
  return error == netmap::errc::end_of_capture;
}

std::string alone(const PortInfo& info) {
  if (is_capture(info)) return "nothing has moved yet: the capture has yet to begin";
  if (!is_pipe(info)) return "nothing has moved yet: is there a peer, and the link up?";
  std::string other = info.name;
  std::ranges::transform(other, other.begin(), [](char c) {
    return c == '{' ? '}' : c == '}' ? '{' : c;
  });
  return fmt::format("nothing has moved yet: waiting for a peer at the other end, 'netmap:{}'",
                     other);
}

void wait_for_link(const PortInfo& info, std::optional<double> seconds) {
  const double wanted = seconds.value_or(is_interface(info) ? 2 : 0);
  if (wanted == 0) return;
  tell("waiting {} s for the link\n", wanted);
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(wanted));
  while (!stop_requested() && Clock::now() < end) {
    std::this_thread::sleep_until(std::min(end, Clock::now() + slice));
  }
}

}  // namespace nmx
