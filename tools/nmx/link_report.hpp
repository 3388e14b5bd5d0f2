// SPDX-License-Identifier: BSD-2-Clause
//
// What nmx emulate says of the two ways of a link.
#pragma once

#include "line_stats.hpp"
#include "report.hpp"

#include <array>
#include <mutex>
#include <string>
#include <utility>

namespace nmx {

class LinkReport {
 public:
  /// `names` of the ports; `identity`: the first fields of each object.
  LinkReport(ReportOptions options, std::array<std::string, 2> names, Json identity)
      : options_(std::move(options)),
        ways_{names[0] + " → " + names[1], names[1] + " → " + names[0]},
        identity_(std::move(identity)) {}

  void interval(const LinkStats& stats, const Traffic& traffic);
  /// Once, at the end, with what came after the last interval.
  void total(const LinkStats& rest, const Traffic& traffic);
  /// For metrics: "forward_in", "backward_lost", … up to the last interval. From any thread.
  [[nodiscard]] Remarks so_far() const;

 private:
  void merge(const LinkStats& stats);
  void print_json(const char* event, const LinkStats& stats, const Traffic& traffic) const;

  ReportOptions options_;
  std::array<std::string, 2> ways_;
  Json identity_;
  mutable std::mutex mutex_;  ///< changes of total_ and so_far()
  LinkStats total_;
};

/// "10.000 kpps in, 9.900 kpps out, 4.752 Mbit/s, queue …" without what there was none of.
[[nodiscard]] std::string interval_text(const LineStats& interval, double seconds);
/// Two lines, without the last one's end.
[[nodiscard]] std::string total_text(const LineStats& total);
[[nodiscard]] Json to_json(const LineStats& stats);

}  // namespace nmx
