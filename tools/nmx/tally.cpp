// SPDX-License-Identifier: BSD-2-Clause
#include "tally.hpp"

#include <algorithm>

namespace nmx {

void SequenceWindow::record(std::uint64_t number) {
  if (number >= next_) {
    skip_to(number);
    mark(number);
    next_ = number + 1;
  } else if (next_ - number > size || (word(number) & bit(number)) != 0) {
    ++duplicated_;
  } else {
    mark(number);
    ++reordered_;
  }
}

/// Makes room for the numbers up to and including `number`, none of which has come.
void SequenceWindow::skip_to(std::uint64_t number) {
  if (number - next_ >= size) {
    bits_.fill(0);
    return;
  }
  for (std::uint64_t fresh = next_; fresh <= number; ++fresh) word(fresh) &= ~bit(fresh);
}

void SequenceTally::add(std::span<const Reading> batch) {
  const std::scoped_lock lock(mutex_);
  SequenceWindow* window = nullptr;
  std::uint32_t flow = 0;
  for (const Reading& reading : batch) {
    corrupt_ += reading.verdict == Verdict::damaged || reading.verdict == Verdict::unreadable;
    unreadable_ += reading.verdict == Verdict::unreadable;
    foreign_ += reading.verdict == Verdict::foreign;
    if (reading.verdict > Verdict::damaged) continue;
    if (window == nullptr || reading.flow != flow) {
      flow = reading.flow;
      window = &flows_[flow];
    }
    window->record(reading.number);
  }
}

SequenceCounts SequenceTally::counts() const {
  const std::scoped_lock lock(mutex_);
  SequenceCounts sum{.corrupt = corrupt_, .foreign = foreign_};
  for (const auto& [flow, window] : flows_) {
    sum.lost += window.lost();
    sum.duplicated += window.duplicated();
    sum.reordered += window.reordered();
  }
  sum.lost -= std::min(sum.lost, unreadable_);
  return sum;
}

std::uint64_t SequenceTally::distinct(std::uint32_t flow) const {
  const std::scoped_lock lock(mutex_);
  const auto found = flows_.find(flow);
  return found == flows_.end() ? 0 : found->second.distinct();
}

}  // namespace nmx
