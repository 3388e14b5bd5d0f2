// SPDX-License-Identifier: BSD-2-Clause
#include "link_report.hpp"

#include "percentiles.hpp"
#include "tell.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace nmx {
namespace {

/// ", 3 lost, 1 queue full", of what there was any.
std::string losses(const LineStats& stats) {
  std::string text;
  const auto add = [&text](std::uint64_t count, const char* what) {
    if (count != 0) text += fmt::format(", {} {}", count, what);
  };
  add(stats.lost, "lost");
  add(stats.queue_dropped, "dropped: queue full");
  add(stats.memory_dropped, "dropped: memory full");
  add(stats.held_back, "held back");
  return text;
}

}  // namespace

std::string interval_text(const LineStats& interval, double seconds) {
  const auto rate = [seconds](std::uint64_t count, const char* unit) {
    return scaled(seconds > 0 ? static_cast<double>(count) / seconds : 0, unit);
  };
  std::string text =
      fmt::format("{:>13} in  {:>13} out  {:>14}  queue {:>11}", rate(interval.in, "pps"),
                  rate(interval.out, "pps"), rate(8 * interval.out_bytes, "bit/s"),
                  scaled(static_cast<double>(interval.most_queued_bytes), "B"));
  if (interval.lateness.count() != 0) {
    text += fmt::format("  late µs: p50 {:.3f} p99 {:.3f}",
                        microseconds(interval.lateness.per_mille(500)),
                        microseconds(interval.lateness.per_mille(990)));
  }
  return text + losses(interval);
}

std::string total_text(const LineStats& total) {
  std::string text = fmt::format("{} in, {} out, {} under way{}; queue at most {}", total.in,
                                 total.out, total.held, losses(total),
                                 scaled(static_cast<double>(total.most_queued_bytes), "B"));
  if (total.lateness.count() != 0) {
    text += fmt::format("\n  left late, µs: {}", to_text(total.lateness));
  }
  return text;
}

Json to_json(const LineStats& stats) {
  return {{"in", stats.in},
          {"in_bytes", stats.in_bytes},
          {"out", stats.out},
          {"out_bytes", stats.out_bytes},
          {"under_way", stats.held},
          {"lost", stats.lost},
          {"dropped_queue", stats.queue_dropped},
          {"dropped_memory", stats.memory_dropped},
          {"held_back", stats.held_back},
          {"queue_bytes", stats.queued_bytes},
          {"queue_max_bytes", stats.most_queued_bytes},
          {"late_ns", percentiles_json(stats.lateness)}};
}

Remarks LinkReport::so_far() const {
  const std::scoped_lock lock(mutex_);
  Remarks remarks;
  for (std::size_t way = 0; way < total_.size(); ++way) {
    const Json stats = to_json(total_[way]);
    for (const auto& [name, value] : stats.items()) {
      remarks.json[(way == 0 ? "forward_" : "backward_") + name] = value;
    }
  }
  return remarks;
}

void LinkReport::merge(const LinkStats& stats) {
  const std::scoped_lock lock(mutex_);
  for (std::size_t way = 0; way < stats.size(); ++way) total_[way].merge(stats[way]);
}

void LinkReport::interval(const LinkStats& stats, const Traffic& traffic) {
  merge(stats);
  for (std::size_t way = 0; way < stats.size(); ++way) {
    if (stats[way].in + stats[way].out == 0) continue;
    tell("{}: {}\n", ways_[way], interval_text(stats[way], traffic.seconds));
  }
  if (options_.json == JsonOutput::lines) print_json("interval", stats, traffic);
}

void LinkReport::total(const LinkStats& rest, const Traffic& traffic) {
  merge(rest);
  for (std::size_t way = 0; way < rest.size(); ++way) {
    tell("{}: {}\n", ways_[way], total_text(total_[way]));
  }
  if (options_.json != JsonOutput::none) print_json("total", total_, traffic);
}

void LinkReport::print_json(const char* event, const LinkStats& stats,
                            const Traffic& traffic) const {
  Json object{{"event", event}};
  object.update(identity_);
  object.update(nmx::to_json(traffic));
  object["forward"] = to_json(stats[0]);
  object["backward"] = to_json(stats[1]);
  print(object);
}

}  // namespace nmx
