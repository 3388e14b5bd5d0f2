// SPDX-License-Identifier: BSD-2-Clause
#include "sequence_report.hpp"

#include <fmt/format.h>

namespace nmx {

std::string to_text(const SequenceCounts& counts) {
  std::string text = fmt::format("{} lost, {} duplicated, {} reordered, {} corrupt", counts.lost,
                                 counts.duplicated, counts.reordered, counts.corrupt);
  if (counts.foreign != 0) text += fmt::format("; {} packets were not numbered", counts.foreign);
  return text;
}

Remarks remark(const SequenceCounts& counts) {
  return {.text = counts.is_clean() ? "" : to_text(counts),
          .json = {{"lost", counts.lost},
                   {"duplicated", counts.duplicated},
                   {"reordered", counts.reordered},
                   {"corrupt", counts.corrupt},
                   {"foreign", counts.foreign}}};
}

}  // namespace nmx
