// SPDX-License-Identifier: BSD-2-Clause
#include "options.hpp"

#include "duration.hpp"
#include "fault_option.hpp"
#include "parsed_option.hpp"
#include "quantity.hpp"

#include <expected>

namespace nmx {

const char* const device_group = "Device";
const char* const report_group = "Report";

namespace {

std::expected<netmap::DeviceKind, std::string> parse_device(const std::string& text) {
  for (const auto kind : {netmap::DeviceKind::kernel, netmap::DeviceKind::embedded}) {
    if (text == to_string(kind)) return kind;
  }
  return std::unexpected("'" + text + "' is no device; there are 'kernel' and 'embedded'");
}

std::expected<netmap::XdpMode, std::string> parse_xdp_mode(const std::string& text) {
  using enum netmap::XdpMode;
  for (const auto mode : {zero_copy, native, generic}) {
    if (text == to_string(mode)) return mode;
  }
  return std::unexpected("'" + text +
                         "' is no mode of XDP; there are 'zero-copy', 'native' and 'generic'");
}

}  // namespace

void add_device_options(CLI::App& app, netmap::DeviceOptions& device) {
  add_parsed_option(app, "--device", device.kind, parse_device,
                    "Where ports are; by default kernel if /dev/netmap exists")
      ->type_name("kernel|embedded")
      ->group(device_group);
  app.add_option("--domain", device.domain, "Directory where ports of the embedded device meet")
      ->type_name("DIR")
      ->group(device_group);
  add_parsed_option(app, "--xdp", device.xdp, parse_xdp_mode,
                    "How the embedded device takes an interface's packets; by default the first "
                    "that its driver can (zero-copy: of ports like eth0@offset=256)")
      ->type_name("zero-copy|native|generic")
      ->group(device_group);
  app.add_flag("--busy-poll", device.busy_poll, "Make an interface's driver work at each sync")
      ->group(device_group);
}

void add_report_options(CLI::App& app, ReportOptions& report) {
  app.add_flag("--json{object}")
      ->description("An object on stdout at the end; lines: one each interval, too")
      ->type_name("object|lines")
      ->group(report_group)
      ->check(CLI::IsMember({"object", "lines"}))
      ->each([&report](const std::string& text) {
        report.json = text == "lines" ? JsonOutput::lines : JsonOutput::object;
      });
  add_metrics_option(app, report.metrics);
  add_interval_option(app, report.interval);
}

void add_metrics_option(CLI::App& app, std::string& address) {
  app.add_option("--metrics", address,
                 "Serve figures to Prometheus at [HOST:]PORT, by default of 127.0.0.1")
      ->type_name("ADDRESS")
      ->group(report_group);
}

void add_interval_option(CLI::App& app, std::chrono::milliseconds& interval) {
  app.add_option_function<unsigned>(
         "-T,--interval", [&interval](unsigned ms) { interval = std::chrono::milliseconds(ms); },
         "Milliseconds between two reports [1000]")
      ->type_name("MS")
      ->group(report_group)
      ->check(CLI::Range(1U, 3'600'000U));
}

void add_batch_option(CLI::App& app, std::uint32_t& batch) {
  app.add_option("-b,--batch", batch, "Packets per ring and sync, at most")
      ->check(CLI::Range(1U, 65'536U))
      ->capture_default_str();
}

void add_link_option(CLI::App& app, std::optional<double>& seconds) {
  app.add_option("-w,--wait-link", seconds,
                 "Seconds to let a card's link settle [2; 0 for pipes and VALE]")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 3600.0));
}

void add_silence_option(CLI::App& app, std::optional<std::chrono::milliseconds>& silence) {
  app.add_flag("-W{1},--silence{1}")
      ->description("Stop when nothing more has come for a second (--silence=3: for three)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 86'400.0))
      ->each([&silence](const std::string& seconds) {
        silence = std::chrono::milliseconds(static_cast<long>(std::stod(seconds) * 1000));
      });
}

void add_mac_options(CLI::App& app, std::optional<MacAddress>& source, MacAddress& destination,
                     const char* group) {
  add_parsed_option(app, "-S,--source-mac", source, parse_mac, "MAC address [the interface's]")
      ->type_name("MAC")
      ->group(group);
  add_parsed_option(app, "-D,--destination-mac", destination, parse_mac,
                    "MAC address [ff:ff:ff:ff:ff:ff]")
      ->type_name("MAC")
      ->group(group);
}

void add_spin_option(CLI::App& app, std::optional<std::chrono::nanoseconds>& spin) {
  app.add_flag("--spin{always}")
      ->description("Never sleep, or after so long (50us) [50us if embedded, else 0]")
      ->type_name("TIME")
      ->each([&spin](const std::string& text) {
        const auto parsed = text == "always" ? netmap::forever : parse_duration(text);
        if (!parsed) throw CLI::ValidationError(parsed.error());
        spin = *parsed;
      });
}

void add_port_options(CLI::App& app, TransferOptions& options) {
  app.add_option("port,-i,--port", options.port, "netmap:eth0, vale0:a, 'netmap:x{1', pcap:FILE, …")
      ->type_name("PORT")
      ->required();
  add_parsed_option(app, "-n,--count", options.count, parse_count,
                    "Stop after so many packets, say 50k [no end]")
      ->type_name("N");
  app.add_option("-a,--cpu", options.cpu, "CPU of the thread; further threads take the next");
  add_link_option(app, options.link_wait);
  add_device_options(app, options.device);
  add_fault_option(app, options.faults);
  add_report_options(app, options.report);
}

void add_transfer_options(CLI::App& app, TransferOptions& options) {
  add_port_options(app, options);
  add_batch_option(app, options.batch);
  app.add_option("-p,--threads", options.threads, "Threads, each with a ring of its own")
      ->check(CLI::Range(1U, 1024U))
      ->capture_default_str();
}

}  // namespace nmx
