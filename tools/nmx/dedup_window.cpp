// SPDX-License-Identifier: BSD-2-Clause
#include "dedup_window.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace nmx {
namespace {

std::uint64_t digest(std::span<const std::byte> bytes) {
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

DedupWindow::DedupWindow(std::size_t packets, std::chrono::nanoseconds age)
    : age_(age), capacity_(packets) {
  digests_.reserve(packets);
  kept_.reserve(packets);
}

bool DedupWindow::is_duplicate(Clock::time_point now) {
  digest_ = digest(candidate_);
  for (std::size_t i = 0; i != kept_.size(); ++i) {
    if (digests_[i] != digest_ || now - kept_[i].time > age_) continue;
    if (std::ranges::equal(kept_[i].bytes, candidate_)) return true;
  }
  return false;
}

void DedupWindow::keep(Clock::time_point now) {
  if (kept_.size() < capacity_) {
    kept_.push_back({candidate_, now});
    digests_.push_back(digest_);
    return;
  }
  std::swap(kept_[oldest_].bytes, candidate_);  // neither is allocated again
  kept_[oldest_].time = now;
  digests_[oldest_] = digest_;
  oldest_ = (oldest_ + 1) % capacity_;
}

}  // namespace nmx
