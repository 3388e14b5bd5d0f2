// SPDX-License-Identifier: BSD-2-Clause
#include "duration.hpp"
#include "generator.hpp"
#include "line_options.hpp"
#include "load_trial.hpp"
#include "parsed_option.hpp"
#include "percentiles.hpp"
#include "ports.hpp"
#include "rate_search.hpp"
#include "stop.hpp"
#include "tell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace nmx {
namespace {

using netmap::Error;
using netmap::Result;
using namespace std::chrono_literals;

struct Rfc2544Options {
  netmap::DeviceOptions device;
  std::vector<std::string> ports;
  /// Those of RFC 2544, section 9.1, less 4 bytes of CRC.
  std::vector<std::uint32_t> lengths{60, 124, 252, 508, 1020, 1276, 1514};
  std::chrono::nanoseconds duration = 2s;
  std::chrono::nanoseconds settle = 500ms;
  double resolution = 0.01;
  double rate = 0;
  std::uint32_t batch = 64;  ///< few, for a device under test is not to be met by bursts
  std::optional<MacAddress> source_mac;
  MacAddress destination_mac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  std::optional<unsigned> cpu;
  std::optional<double> link_wait;
  bool as_json = false;
};

/// What is found for packets of one length.
struct Row {
  std::uint32_t length;
  double rate;  ///< packets a second
  const char* bound;
  TrialResult at_rate;

  /// Bits a second of an Ethernet link.
  [[nodiscard]] double bits() const { return rate * 8 * (length + framing_bytes); }
};

TrialOptions trial_options(const Rfc2544Options& options, const netmap::PortInfo& info,
                           std::uint32_t length, double rate) {
  constexpr MacAddress local{0x02, 0, 0, 0, 0, 0x01};
  const PacketOptions packet{
      .shortest = length,
      .longest = length,
      .source = options.source_mac.value_or(mac_of(info, local)),
      .destination = options.destination_mac,
      .sweep = {.source = *parse_range("10.0.0.1"), .destination = *parse_range("10.1.0.1")}};
  return {.packet = packet,
          .rate = rate,
          .duration = options.duration,
          .settle = options.settle,
          .batch = options.batch,
          .cpu = options.cpu};
}

/// The trials of one search.
class Search {
 public:
  Search(netmap::Port& tx, netmap::Port& rx, const Rfc2544Options& options, std::uint32_t length)
      : tx_(&tx), rx_(&rx), options_(options), length_(length) {}

  Result<Row> run() {
    RateSearch search(options_.rate, options_.resolution);
    while (!search.is_done()) {
      const double asked = search.next();
      const auto trial = try_rate(asked, fmt::format("trial {}", ++trials_));
      if (!trial) return std::unexpected(trial.error());
      search.record({asked, trial->offered, trial->is_clean()});
    }
    Row row{length_, search.found(), bound_of(search), {}};
    if (row.rate == 0) return row;
    auto timed = try_rate(row.rate, "latency");
    if (!timed) return std::unexpected(timed.error());
    row.at_rate = std::move(*timed);
    return row;
  }

 private:
  static const char* bound_of(const RateSearch& search) {
    if (search.is_senders()) return "sender";
    return search.is_most() ? "--rate" : "loss";
  }

  Result<TrialResult> try_rate(double asked, const std::string& name) {
    auto trial = run_trial(*tx_, *rx_, trial_options(options_, tx_->info(), length_, asked));
    if (trial && stop_requested()) {
      return std::unexpected(Error(std::make_error_code(std::errc::interrupted),
                                   fmt::format("stopped in {} with {} bytes", name, length_)));
    }
    if (!trial) return trial;
    const std::string wanted = asked == 0 ? "as many as go" : scaled(asked, "pps");
    tell("{} bytes, {}: {} asked for, {} offered, {} of {} lost{}\n", length_, name, wanted,
         scaled(trial->offered, "pps"), trial->lost, trial->sent,
         trial->corrupt == 0 ? "" : fmt::format(", {} corrupt", trial->corrupt));
    if (trial->stuck == 0 || trial->lost != trial->sent) return trial;
    return std::unexpected(Error(
        std::make_error_code(std::errc::timed_out),
        fmt::format("nobody takes what is sent through '{0}': {1} slots are left in its rings; "
                    "look whether what is to be measured has the other side of '{0}' open",
                    tx_->info().name, trial->stuck)));
  }

  netmap::Port* tx_;
  netmap::Port* rx_;
  const Rfc2544Options& options_;
  std::uint32_t length_;
  int trials_ = 0;
};

std::string table_line(const Row& row) {
  const Histogram& times = row.at_rate.latency;
  std::string text = fmt::format("{:>6}  {:>13}  {:>14}  {:<6}", row.length,
                                 scaled(row.rate, "pps"), scaled(row.bits(), "bit/s"), row.bound);
  for (const std::uint32_t thousandths : {500U, 990U, 999U, 1000U}) {
    text += fmt::format("  {:>10.3f}", microseconds(times.per_mille(thousandths)));
  }
  if (row.at_rate.lost != 0) text += fmt::format("  then {} lost", row.at_rate.lost);
  return text;
}

void print_table(const std::vector<Row>& rows) {
  fmt::print("{:>6}  {:>13}  {:>14}  {:<6}  {:>10}  {:>10}  {:>10}  {:>10}\n", "length",
             "throughput", "with framing", "bound", "µs: p50", "p99", "p99.9", "max");
  for (const Row& row : rows) fmt::print("{}\n", table_line(row));
}

Json to_json(const Row& row) {
  return {{"length", row.length},
          {"pps", row.rate},
          {"bps_with_framing", row.bits()},
          {"bound", row.bound},
          {"latency_ns", percentiles_json(row.at_rate.latency)},
          {"latency_packets", row.at_rate.latency.count()},
          {"latency_lost", row.at_rate.lost}};
}

void print_json(const Rfc2544Options& options, Json identity, const std::vector<Row>& rows) {
  const auto seconds = std::chrono::duration<double>(options.duration).count();
  identity["trial_s"] = seconds;
  identity["resolution"] = options.resolution;
  identity["results"] = Json::array();
  for (const Row& row : rows) identity["results"].push_back(to_json(row));
  print(identity);
}

Result<> check(netmap::Port& tx, netmap::Port& rx, const Rfc2544Options& options) {
  for (const netmap::Direction one : {netmap::Direction::tx, netmap::Direction::rx}) {
    netmap::Port& port = one == netmap::Direction::tx ? tx : rx;
    if (auto checked = check_rings(port, one); !checked) return checked;
  }
  return check_fit(tx, {.longest = std::ranges::max(options.lengths)});
}

Result<int> rfc2544(const Rfc2544Options& options) {
  auto tx = open_port(options.ports.front(), options.device);
  if (!tx) return std::unexpected(tx.error());
  auto rx = open_port(options.ports.back(), options.device);
  if (!rx) return std::unexpected(rx.error());
  if (auto checked = check(*tx, *rx, options); !checked) return std::unexpected(checked.error());
  tell("nmx rfc2544: from {}; to {}\n", describe(tx->info()), describe(rx->info()));
  wait_for_link(is_interface(tx->info()) ? tx->info() : rx->info(), options.link_wait);

  std::vector<Row> rows;
  for (const std::uint32_t length : options.lengths) {
    auto row = Search(*tx, *rx, options, length).run();
    if (!row) return std::unexpected(row.error());
    rows.push_back(std::move(*row));
  }
  Json identity = identify("rfc2544", tx->info());
  identity["peer"] = rx->info().name;
  if (options.as_json) {
    print_json(options, identity, rows);
  } else {
    print_table(rows);
  }
  return 0;
}

void add_search_options(CLI::App& app, Rfc2544Options& options) {
  add_parsed_option(app, "--trial", options.duration, parse_positive_duration,
                    "How long each trial sends; RFC 2544 wants 60s [2s]")
      ->type_name("TIME");
  add_parsed_option(app, "--settle", options.settle, parse_duration,
                    "What has not come for so long is lost; RFC 2544 wants 2s [500ms]")
      ->type_name("TIME");
  app.add_option("--resolution", options.resolution, "Share of the rate to which it is found")
      ->check(CLI::Range(0.0001, 0.5))
      ->capture_default_str();
  app.add_option("-R,--rate", options.rate, "Packets a second to try at most [as many as go]")
      ->check(CLI::Range(0.001, 1e12));
}

void add_packet_options(CLI::App& app, Rfc2544Options& options) {
  app.add_option("-l,--length", options.lengths, "Bytes of a packet, without CRC: 60,1514")
      ->expected(1, 100)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(shortest_numbered_frame, longest_frame))
      ->capture_default_str();
  add_mac_options(app, options.source_mac, options.destination_mac);
}

}  // namespace

Command add_rfc2544(CLI::App& nmx) {
  auto options = std::make_shared<Rfc2544Options>();
  CLI::App* app = nmx.add_subcommand(
      "rfc2544", "Find the highest rate without loss between two ports, and the latency at it");
  app->add_option("ports,-i,--port", options->ports, "The ports: into the first, out of the second")
      ->type_name("PORT")
      ->expected(2)
      ->required();
  add_search_options(*app, *options);
  add_packet_options(*app, *options);
  add_batch_option(*app, options->batch);
  app->add_option("-a,--cpu", options->cpu, "CPU of the sending thread; the other takes the next");
  add_link_option(*app, options->link_wait);
  add_device_options(*app, options->device);
  app->add_flag("--json", options->as_json, "An object on stdout instead of the table")
      ->group(report_group);
  return {app, [options] { return rfc2544(*options); }};
}

}  // namespace nmx
