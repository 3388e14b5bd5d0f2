// SPDX-License-Identifier: BSD-2-Clause
//
// Times in short: microseconds with three digits for people, nanoseconds for programs.
#pragma once

#include "histogram.hpp"
#include "report.hpp"

#include <string>

namespace nmx {

[[nodiscard]] constexpr double microseconds(double nanoseconds) {
  return nanoseconds / 1000;
}
[[nodiscard]] constexpr double microseconds(std::uint64_t nanoseconds) {
  return microseconds(static_cast<double>(nanoseconds));
}

/// "min 0.120, avg …, p50 …, p90 …, p99 …, p99.9 …, max …", of nanoseconds.
[[nodiscard]] std::string to_text(const Histogram& times);
/// The same for programs; null if there are no values.
[[nodiscard]] Json percentiles_json(const Histogram& times);

}  // namespace nmx
