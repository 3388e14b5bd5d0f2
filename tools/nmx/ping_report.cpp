// SPDX-License-Identifier: BSD-2-Clause
#include "ping_report.hpp"

#include "percentiles.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nmx {
namespace {

constexpr std::size_t most_rows = 24;
constexpr std::size_t longest_bar = 40;

/// "; 3 lost, 1 duplicate, 2 late", of what there was any.
std::string faults(const PingStats& stats) {
  std::string text;
  const auto add = [&text](std::uint64_t count, const char* what) {
    if (count != 0) text += fmt::format("{} {} {}", text.empty() ? ";" : ",", count, what);
  };
  add(stats.lost, "lost");
  add(stats.duplicates, "duplicate");
  add(stats.late, "late");
  return text;
}

}  // namespace

std::string interval_line(const PingStats& interval) {
  const Histogram& times = interval.round_trips;
  if (times.count() == 0) return "no answers" + faults(interval);
  return fmt::format("{:>9} answers  µs: min {:>9.3f}  avg {:>9.3f}  p50 {:>9.3f}  p99 {:>9.3f}{}",
                     times.count(), microseconds(times.min()), microseconds(times.mean()),
                     microseconds(times.per_mille(500)), microseconds(times.per_mille(990)),
                     faults(interval));
}

std::string total_text(const PingStats& total) {
  std::string text =
      fmt::format("{} sent, {} answered, {} lost, {} duplicate, {} late\n", total.sent,
                  total.answered(), total.lost, total.duplicates, total.late);
  if (total.without_room != 0) {
    text += fmt::format("{} never left: nobody took what was in the ring\n", total.without_room);
  }
  if (total.answered() != 0) {
    text += fmt::format("round trip µs: {}\n", to_text(total.round_trips));
  }
  if (total.lateness.count() != 0) {
    text += fmt::format("sent late  µs: {}\n", to_text(total.lateness));
  }
  return text;
}

std::string bars(const Histogram& histogram) {
  const auto rows = histogram.rows(most_rows);
  std::uint64_t most = 1;
  for (const Histogram::Row& row : rows) most = std::max(most, row.count);
  std::string text;
  for (const Histogram::Row& row : rows) {
    const double share = static_cast<double>(row.count) / static_cast<double>(most);
    const auto length = static_cast<std::size_t>(share * longest_bar);
    const std::string bar(std::max<std::size_t>(length, row.count != 0 ? 1 : 0), '#');
    text += fmt::format("{:>12.3f} … {:>12.3f} µs {:>10} {}", microseconds(row.first),
                        microseconds(row.last), row.count, bar);
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

Json to_json(const PingStats& stats) {
  return {{"sent", stats.sent},
          {"answered", stats.answered()},
          {"lost", stats.lost},
          {"without_room", stats.without_room},
          {"duplicate", stats.duplicates},
          {"late", stats.late},
          {"round_trip_ns", percentiles_json(stats.round_trips)},
          {"sent_late_ns", percentiles_json(stats.lateness)}};
}

Json to_json(const Histogram& histogram) {
  Json buckets = Json::array();
  for (const Histogram::Row& row : histogram.rows(SIZE_MAX)) {
    if (row.count == 0) continue;
    buckets.push_back({{"first_ns", row.first}, {"last_ns", row.last}, {"count", row.count}});
  }
  return buckets;
}

}  // namespace nmx
