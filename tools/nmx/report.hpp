// SPDX-License-Identifier: BSD-2-Clause
//
// What a transfer says of itself: lines for people on stderr, JSON for programs on stdout.
#pragma once

#include "metrics.hpp"
#include "traffic.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace nmx {

using Json = nlohmann::ordered_json;

enum class JsonOutput : std::uint8_t {
  none,
  object,  ///< one object at the end
  lines,   ///< one more each interval; "event" tells them apart
};

struct ReportOptions {
  JsonOutput json = JsonOutput::none;
  std::chrono::milliseconds interval{1000};
  std::string metrics = {};  ///< where Prometheus finds them, if anywhere
  bool quiet = false;
};

/// 14880952.4 and "pps" make "14.881 Mpps".
[[nodiscard]] std::string scaled(double value, const char* unit);
[[nodiscard]] std::string interval_line(const Traffic& interval);
[[nodiscard]] std::string total_line(const std::string& verb, const Traffic& total);
/// What every transfer reports: packets, bytes, seconds, pps, bps, batches.
[[nodiscard]] Json to_json(const Traffic& traffic);

/// One line on stdout, seen at once by whoever reads there.
void print(const Json& object);

/// What one transfer reports beside its traffic.
struct Remarks {
  std::string text = {};  ///< behind the interval's line
  Json json = Json::object();
};

class Report {
 public:
  /// `identity`: what the transfer is, the first fields of each object.
  Report(ReportOptions options, Json identity, std::function<Remarks()> remarks = {});

  [[nodiscard]] const ReportOptions& options() const { return options_; }
  /// If metrics are asked for: the sum of what has moved, and the remarks.
  [[nodiscard]] netmap::Result<std::optional<Metrics>> serve_metrics(
      std::function<Traffic()> sum) const;
  void interval(const Traffic& traffic) const;
  /// Once, at the end. `verb`: "sent", "received", …
  void total(const std::string& verb, const Traffic& traffic) const;

 private:
  [[nodiscard]] std::vector<Figure> figures(const Traffic& sum) const;
  void print(const char* event, const Traffic& traffic, const Remarks& remarks) const;

  ReportOptions options_;
  Json identity_;
  std::function<Remarks()> remarks_;
};

}  // namespace nmx
