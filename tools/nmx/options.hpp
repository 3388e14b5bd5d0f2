// SPDX-License-Identifier: BSD-2-Clause
//
// What several subcommands can be told. Letters that pkt-gen has mean here what they mean there.
#pragma once

#include "addresses.hpp"
#include "report.hpp"

#include <netmap/error.hpp>
#include <netmap/port.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace nmx {

/// Under which --help and the manual list them.
extern const char* const device_group;
extern const char* const report_group;

struct TransferOptions {
  netmap::DeviceOptions device;
  std::optional<netmap::Faults> faults;
  ReportOptions report;
  std::string port;
  std::uint64_t count = 0;  ///< 0: no end
  std::uint32_t batch = 512;
  std::uint32_t threads = 1;
  std::optional<unsigned> cpu;
  std::optional<double> link_wait;  ///< seconds
};

/// Of ping and pong.
struct PingPortOptions : TransferOptions {
  /// How long to look again and again before sleeping, if not as usual.
  std::optional<std::chrono::nanoseconds> spin;
};

void add_device_options(CLI::App& app, netmap::DeviceOptions& device);
void add_report_options(CLI::App& app, ReportOptions& report);
void add_metrics_option(CLI::App& app, std::string& address);
void add_interval_option(CLI::App& app, std::chrono::milliseconds& interval);
void add_batch_option(CLI::App& app, std::uint32_t& batch);
void add_link_option(CLI::App& app, std::optional<double>& seconds);
void add_silence_option(CLI::App& app, std::optional<std::chrono::milliseconds>& silence);
/// Of the packets that are sent.
void add_mac_options(CLI::App& app, std::optional<MacAddress>& source, MacAddress& destination,
                     const char* group = "Options");
void add_spin_option(CLI::App& app, std::optional<std::chrono::nanoseconds>& spin);
/// The port, when to stop, the CPU, link, device and report: what every user of one port is told.
void add_port_options(CLI::App& app, TransferOptions& options);
/// These, batch and threads.
void add_transfer_options(CLI::App& app, TransferOptions& options);

/// A subcommand: how it is called, and what it does once its options are read; its result is the
/// exit status.
struct Command {
  CLI::App* app;
  std::function<netmap::Result<int>()> run;
};

Command add_gen(CLI::App& nmx);
Command add_recv(CLI::App& nmx);
Command add_ping(CLI::App& nmx);
Command add_pong(CLI::App& nmx);
Command add_bridge(CLI::App& nmx);
Command add_balance(CLI::App& nmx);
Command add_dedup(CLI::App& nmx);
Command add_emulate(CLI::App& nmx);
Command add_rfc2544(CLI::App& nmx);
Command add_switch(CLI::App& nmx);
Command add_capture(CLI::App& nmx);
Command add_replay(CLI::App& nmx);
Command add_extcap(CLI::App& nmx);
Command add_info(CLI::App& nmx);
Command add_run(CLI::App& nmx);
Command add_top(CLI::App& nmx);
Command add_demo(CLI::App& nmx);

}  // namespace nmx
