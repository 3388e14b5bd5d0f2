// SPDX-License-Identifier: BSD-2-Clause
#include "device/fault/wire.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace netmap::fault {

bool Dice::chance(double probability) {
  if (probability <= 0) return false;
  return std::ldexp(static_cast<double>(engine_() >> 11), -53) < probability;
}

std::uint64_t Dice::upto(std::uint64_t end) {
  return end == UINT64_MAX ? engine_() : engine_() % (end + 1);
}

std::chrono::nanoseconds Dice::upto(std::chrono::nanoseconds end) {
  if (end.count() <= 0) return {};
  return std::chrono::nanoseconds(upto(static_cast<std::uint64_t>(end.count())));
}

void Wire::put(Fragments packet, Clock::time_point now) {
  if (dice_.chance(faults_.drop)) {
    ++counts_.dropped;
    return;
  }
  if (dice_.chance(faults_.corrupt)) damage(packet);
  const auto due = draw_due(now);
  slots_ += packet.size();
  if (!slow_ && dice_.chance(faults_.reorder)) {
    slow_ = {std::move(packet), std::max(due, now + patience)};
    return;
  }
  if (dice_.chance(faults_.duplicate)) {
    ++counts_.duplicated;
    slots_ += packet.size();
    packets_.push_back({packet, due});
  }
  packets_.push_back({std::move(packet), due});
  if (slow_) {
    ++counts_.reordered;
    packets_.push_back({std::move(slow_->fragments), due});
    slow_.reset();
  }
}

void Wire::damage(Fragments& packet) {
  Fragment& fragment = packet[dice_.upto(packet.size() - 1)];
  if (fragment.bytes.empty()) return;
  ++counts_.corrupted;
  fragment.bytes[dice_.upto(fragment.bytes.size() - 1)] ^= std::byte{1} << dice_.upto(7);
}

Clock::time_point Wire::draw_due(Clock::time_point now) {
  const auto delay = dice_.upto(faults_.delay);
  if (delay.count() != 0) ++counts_.delayed;
  last_due_ = std::max(last_due_, now + delay);
  return last_due_;
}

const Fragments* Wire::next(Clock::time_point now) {
  if (slow_ && slow_->due <= now) {
    packets_.push_back(std::move(*slow_));
    slow_.reset();
  }
  if (packets_.empty() || packets_.front().due > now) return nullptr;
  return &packets_.front().fragments;
}

void Wire::pop() {
  slots_ -= packets_.front().fragments.size();
  packets_.pop_front();
}

std::size_t Wire::limit() {
  if (!dice_.chance(faults_.short_batch)) return SIZE_MAX;
  ++counts_.short_batches;
  return dice_.upto(packets_.size());
}

Clock::time_point Wire::due() const {
  const auto first = packets_.empty() ? Clock::time_point::max() : packets_.front().due;
  return slow_ ? std::min(first, slow_->due) : first;
}

std::size_t Wire::next_slots() const {
  if (!packets_.empty()) return packets_.front().fragments.size();
  return slow_ ? slow_->fragments.size() : 0;
}

}  // namespace netmap::fault
