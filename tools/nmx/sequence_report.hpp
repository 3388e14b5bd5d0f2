// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "report.hpp"
#include "tally.hpp"

#include <string>

namespace nmx {

[[nodiscard]] std::string to_text(const SequenceCounts& counts);
[[nodiscard]] Remarks remark(const SequenceCounts& counts);

}  // namespace nmx
