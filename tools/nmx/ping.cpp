// SPDX-License-Identifier: BSD-2-Clause
#include "duration.hpp"
#include "fault_option.hpp"
#include "generator.hpp"
#include "options.hpp"
#include "parsed_option.hpp"
#include "ping_report.hpp"
#include "pinger.hpp"
#include "ports.hpp"
#include "tasks.hpp"
#include "tell.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <random>

namespace nmx {
namespace {

using netmap::Error;
using netmap::Result;
using namespace std::chrono_literals;

struct PingCommandOptions : PingPortOptions {
  std::uint32_t length = 60;
  std::optional<MacAddress> source_mac;
  MacAddress destination_mac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  std::chrono::nanoseconds every = 1ms;
  std::uint64_t outstanding = 0;  ///< 0: as --every has it
  std::chrono::nanoseconds timeout = 1s;
  bool shows_histogram = false;
};

PingOptions ping_options(const PingCommandOptions& options) {
  const std::uint64_t usual = options.every == 0ns ? 1 : UINT64_MAX;
  return {.count = options.count != 0 ? options.count : UINT64_MAX,
          .every = options.every,
          .outstanding = options.outstanding != 0 ? options.outstanding : usual,
          .timeout = options.timeout,
          .run = std::random_device()()};
}

PingWriter make_writer(const PingCommandOptions& options, const netmap::PortInfo& info,
                       std::uint32_t run) {
  constexpr MacAddress local{0x02, 0, 0, 0, 0, 0x01};
  HeaderBuilder header(options.source_mac.value_or(mac_of(info, local)), options.destination_mac);
  header.set({parse_range("10.0.0.1")->first, parse_range("10.1.0.1")->first}, options.length);
  return {header.plain(), options.length, run};
}

/// What is printed while pings run, and at the end.
class PingReport {
 public:
  PingReport(const PingCommandOptions& options, Json identity)
      : options_(options), identity_(std::move(identity)) {}

  [[nodiscard]] const PingStats& total() const { return total_; }

  /// For metrics: up to the last interval. From any thread.
  [[nodiscard]] Remarks so_far() const {
    const std::scoped_lock lock(mutex_);
    return {.json = to_json(total_)};
  }

  void interval(const PingStats& stats, double seconds) {
    merge(stats);
    tell("{}\n", interval_line(stats));
    if (options_.report.json == JsonOutput::lines) print_json("interval", stats, seconds);
  }
  void finish(const PingStats& rest, double seconds) {
    merge(rest);
    if (options_.shows_histogram) tell("{}", bars(total_.round_trips));
    tell("{}", total_text(total_));
    if (options_.report.json != JsonOutput::none) print_json("total", total_, seconds);
  }

 private:
  void merge(const PingStats& stats) {
    const std::scoped_lock lock(mutex_);
    total_.merge(stats);
  }
  void print_json(const char* event, const PingStats& stats, double seconds) const {
    Json object{{"event", event}};
    object.update(identity_);
    object["seconds"] = seconds;
    object.update(to_json(stats));
    if (options_.shows_histogram) object["histogram"] = to_json(stats.round_trips);
    print(object);
  }

  const PingCommandOptions& options_;
  Json identity_;
  mutable std::mutex mutex_;  ///< changes of total_ and so_far()
  PingStats total_;
};

Result<int> conclude(const PingCommandOptions& options, const PingStats& total) {
  if (options.count != 0 && total.sent != options.count) {
    return std::unexpected(
        Error(std::make_error_code(std::errc::interrupted),
              fmt::format("stopped after {} of {} packets", total.sent, options.count)));
  }
  return total.sent != 0 && total.answered() == total.sent ? 0 : 1;
}

Result<int> ping(const PingCommandOptions& options) {
  auto port = open_ping_port(options);
  if (!port) return std::unexpected(port.error());
  const netmap::PortInfo& info = port->info();
  tell("nmx ping: {}\n", describe(info));
  if (auto fits = check_fit(*port, {.longest = options.length}); !fits) {
    return std::unexpected(fits.error());
  }
  wait_for_link(info, options.link_wait);

  const PingOptions pings = ping_options(options);
  PingLog log;
  Pinger pinger(*port, pings, make_writer(options, info, pings.run), log);
  Json identity = identify("ping", info);
  identity["length"] = options.length;
  identity["every_ns"] = pings.every.count();
  PingReport report(options, identity);
  const Report metrics(options.report, identity, [&report] { return report.so_far(); });
  const Ticks ticks{options.report.interval,
                    [&](const Traffic& traffic) { report.interval(log.take(), traffic.seconds); },
                    &metrics};
  std::vector<Task> tasks;
  tasks.push_back({[&pinger](Counters& counters) { return pinger.run(counters); }, options.cpu});
  const auto traffic = run(std::move(tasks), ticks, {.alone = alone(info)});
  if (!traffic) return std::unexpected(traffic.error());
  report.finish(log.take(), traffic->seconds);
  say_faults(options.faults, {&*port, 1});
  return conclude(options, report.total());
}

void add_load_options(CLI::App& app, PingCommandOptions& options) {
  add_parsed_option(app, "--every", options.every, parse_duration,
                    "From ping to ping; 0: the next leaves as soon as an answer has come [1ms]")
      ->type_name("TIME");
  app.add_option("--outstanding", options.outstanding,
                 "Pings unanswered at once, at most [1 with --every 0, else as many as are due]")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 32));
  add_parsed_option(app, "--timeout", options.timeout, parse_positive_duration,
                    "A ping not answered for so long is lost [1s]")
      ->type_name("TIME");
}

void add_frame_options(CLI::App& app, PingCommandOptions& options) {
  app.add_option("-l,--length", options.length, "Bytes of a packet, without CRC")
      ->check(CLI::Range(shortest_ping, longest_frame))
      ->capture_default_str();
  add_mac_options(app, options.source_mac, options.destination_mac);
}

}  // namespace

Command add_ping(CLI::App& nmx) {
  auto options = std::make_shared<PingCommandOptions>();
  CLI::App* app = nmx.add_subcommand("ping", "Measure round trips to nmx pong or pkt-gen -f pong");
  add_port_options(*app, *options);
  add_load_options(*app, *options);
  add_spin_option(*app, options->spin);
  add_frame_options(*app, *options);
  app->add_flag("--histogram", options->shows_histogram, "Show how the round trips are spread");
  app->footer(
      "A round trip counts from when the ping really left; how much later that was than it\n"
      "was due is reported beside it. Exit status: 0 if every ping was answered, else 1.\n"
      "TIME is 250ns, 100us, 1.5ms or 2s.");
  return {app, [options] { return ping(*options); }};
}

}  // namespace nmx
