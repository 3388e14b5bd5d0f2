// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/ring.hpp>

namespace netmap {

Result<> RxRing::release_seen(Position position) {
  const std::uint32_t cur = detail::load(ring_->cur);
  auto released = hand_over(position);
  if (!released) return released;
  const Owned left{position.index(), detail::load(ring_->tail)};
  has_seen_ = cur != position.index() && owns(left, cur);
  if (has_seen_) detail::store(ring_->cur, cur);
  return released;
}

std::chrono::system_clock::time_point RxRing::timestamp() const noexcept {
  using WallClock = std::chrono::system_clock;
  using std::chrono::seconds, std::chrono::microseconds;
  constexpr auto limit = std::chrono::floor<seconds>(WallClock::duration::max());
  const seconds whole(detail::load(ring_->ts.tv_sec));
  const microseconds rest(detail::load(ring_->ts.tv_usec));
  if (whole < seconds(0) || whole >= limit || rest < microseconds(0) || rest >= seconds(1)) {
    return {};
  }
  return WallClock::time_point(whole) + rest;
}

}  // namespace netmap
