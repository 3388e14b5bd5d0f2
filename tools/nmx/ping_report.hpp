// SPDX-License-Identifier: BSD-2-Clause
//
// What nmx ping says: microseconds with three digits for people, nanoseconds for programs.
#pragma once

#include "ping_stats.hpp"
#include "report.hpp"

#include <string>

namespace nmx {

[[nodiscard]] std::string interval_line(const PingStats& interval);
/// Lines, each with its end.
[[nodiscard]] std::string total_text(const PingStats& total);
/// A line for each row, with a bar as long as its share.
[[nodiscard]] std::string bars(const Histogram& histogram);

[[nodiscard]] Json to_json(const PingStats& stats);
/// All buckets that are not empty.
[[nodiscard]] Json to_json(const Histogram& histogram);

}  // namespace nmx
