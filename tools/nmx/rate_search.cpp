// SPDX-License-Identifier: BSD-2-Clause
#include "rate_search.hpp"

#include <algorithm>

namespace nmx {

void RateSearch::record(const Trial& trial) {
  if (trial.is_clean) {
    // What was asked for in vain once will not be had by asking for less.
    is_senders_ = trial.asked == 0 || trial.offered < trial.asked * (1 - resolution_);
    clean_ = std::max(clean_, trial.offered);
  } else {
    lossy_ = trial.asked == 0 ? trial.offered : std::min(trial.asked, trial.offered);
  }
  const bool is_close = lossy_ - clean_ <= std::max(1.0, resolution_ * clean_);
  is_done_ = lossy_ == 0 || is_senders_ || is_close;
  next_ = (clean_ + lossy_) / 2;
}

}  // namespace nmx
