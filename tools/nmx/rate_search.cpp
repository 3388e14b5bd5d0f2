// SPDX-License-Identifier: BSD-2-Clause
#include "rate_search.hpp"

#include <algorithm>

namespace nmx {

void RateSearch::record(const Trial& trial) {
  if (trial.is_clean) {
    const bool is_short = trial.asked == 0 || trial.offered < trial.asked * (1 - resolution_);
    // A sender that has offered more before was disturbed, and gets another chance if this was of
    // any use.
    const bool helps = lossy_ != 0 && trial.offered > clean_ * (1 + resolution_);
    // One that comes no higher, though asked to, cannot: more of the same would never end.
    const bool is_stuck = clean_ != 0 && trial.offered <= clean_ * (1 + resolution_ / 4);
    is_senders_ = (is_short && !helps) || is_stuck;
    clean_ = std::max(clean_, trial.offered);
  } else {
    lossy_ = trial.asked == 0 ? trial.offered : std::min(trial.asked, trial.offered);
  }
  const bool is_close = lossy_ - clean_ <= std::max(1.0, resolution_ * clean_);
  is_done_ = lossy_ == 0 || is_senders_ || is_close;
  next_ = (clean_ + lossy_) / 2;
}

}  // namespace nmx
