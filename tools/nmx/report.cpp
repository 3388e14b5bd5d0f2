// SPDX-License-Identifier: BSD-2-Clause
#include "report.hpp"

#include "tell.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <utility>

namespace nmx {

std::string scaled(double value, const char* unit) {
  constexpr std::array prefixes{"", "k", "M", "G", "T"};
  std::size_t step = 0;
  while (value >= 999.9995 && step + 1 < prefixes.size()) {
    value /= 1000;
    ++step;
  }
  return fmt::format("{:.3f} {}{}", value, prefixes[step], unit);
}

std::string interval_line(const Traffic& interval) {
  const std::string free =
      interval.free_slots == Traffic::not_seen ? "-" : fmt::format("{}", interval.free_slots);
  return fmt::format("{:>13}  {:>15}  batch {:>7.2f}  free slots {:>4}",
                     scaled(interval.packets_per_second(), "pps"),
                     scaled(interval.bits_per_second(), "bit/s"), interval.average_batch(), free);
}

std::string total_line(const std::string& verb, const Traffic& total) {
  return fmt::format("{} {} packets, {} bytes in {:.3f} s: {}, {}, average batch {:.2f}", verb,
                     total.packets, total.bytes, total.seconds,
                     scaled(total.packets_per_second(), "pps"),
                     scaled(total.bits_per_second(), "bit/s"), total.average_batch());
}

Json to_json(const Traffic& traffic) {
  return {{"packets", traffic.packets},       {"bytes", traffic.bytes},
          {"seconds", traffic.seconds},       {"pps", traffic.packets_per_second()},
          {"bps", traffic.bits_per_second()}, {"wire_bps", traffic.wire_bits_per_second()},
          {"batches", traffic.batches}};
}

void print(const Json& object) {
  fmt::print("{}\n", object.dump());
  std::fflush(stdout);
}

Report::Report(ReportOptions options, Json identity, std::function<Remarks()> remarks)
    : options_(std::move(options)), identity_(std::move(identity)), remarks_(std::move(remarks)) {}

netmap::Result<std::optional<Metrics>> Report::serve_metrics(std::function<Traffic()> sum) const {
  if (options_.metrics.empty()) return std::nullopt;
  return Metrics::serve(options_.metrics, [this, sum = std::move(sum)] { return figures(sum()); });
}

std::vector<Figure> Report::figures(const Traffic& sum) const {
  std::vector<std::pair<std::string, std::string>> labels;
  for (const auto& [name, value] : identity_.items()) {
    if (value.is_string()) labels.emplace_back(name, value.get<std::string>());
  }
  std::vector<Figure> figures{{"nmx_packets_total", static_cast<double>(sum.packets), labels},
                              {"nmx_bytes_total", static_cast<double>(sum.bytes), labels},
                              {"nmx_batches_total", static_cast<double>(sum.batches), labels}};
  const Json remarks = remarks_ ? remarks_().json : Json::object();
  for (const auto& [name, value] : remarks.items()) {
    if (value.is_number()) figures.push_back({"nmx_" + name, value.get<double>(), labels});
  }
  return figures;
}

void Report::interval(const Traffic& traffic) const {
  if (options_.quiet) return;
  const Remarks remarks = remarks_ ? remarks_() : Remarks{};
  const char* gap = remarks.text.empty() ? "" : "  ";
  tell("{}{}{}\n", interval_line(traffic), gap, remarks.text);
  if (options_.json == JsonOutput::lines) print("interval", traffic, remarks);
}

void Report::total(const std::string& verb, const Traffic& traffic) const {
  if (options_.quiet) return;
  tell("{}\n", total_line(verb, traffic));
  if (options_.json == JsonOutput::none) return;
  print("total", traffic, remarks_ ? remarks_() : Remarks{});
}

void Report::print(const char* event, const Traffic& traffic, const Remarks& remarks) const {
  Json object{{"event", event}};
  object.update(identity_);
  object.update(to_json(traffic));
  object.update(remarks.json);
  nmx::print(object);
}

}  // namespace nmx
