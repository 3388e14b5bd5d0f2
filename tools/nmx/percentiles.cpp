// SPDX-License-Identifier: BSD-2-Clause
#include "percentiles.hpp"

#include <fmt/format.h>

namespace nmx {

std::string to_text(const Histogram& times) {
  const auto at = [&times](std::uint32_t thousandths) {
    return microseconds(times.per_mille(thousandths));
  };
  return fmt::format(
      "min {:.3f}, avg {:.3f}, p50 {:.3f}, p90 {:.3f}, p99 {:.3f}, p99.9 {:.3f}, "
      "max {:.3f}",
      microseconds(times.min()), microseconds(times.mean()), at(500), at(900), at(990), at(999),
      microseconds(times.max()));
}

Json percentiles_json(const Histogram& times) {
  if (times.count() == 0) return nullptr;
  return {{"min", times.min()},          {"avg", times.mean()},
          {"p50", times.per_mille(500)}, {"p90", times.per_mille(900)},
          {"p99", times.per_mille(990)}, {"p99.9", times.per_mille(999)},
          {"max", times.max()}};
}

}  // namespace nmx
