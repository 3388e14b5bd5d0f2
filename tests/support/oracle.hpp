// SPDX-License-Identifier: BSD-2-Clause
//
// What a ring must do, as a queue: fragments come out once, in order and unharmed. Says what is
// wrong with what did come out.
#pragma once

#include "support/fake_port.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <ostream>
#include <ranges>
#include <span>
#include <utility>
#include <vector>

namespace netmap::test {

/// What one slot holds.
struct Fragment {
  Bytes bytes;
  std::uint16_t flags = 0;

  [[nodiscard]] bool more() const { return detail::has_more_fragments(flags); }
  friend bool operator==(const Fragment&, const Fragment&) = default;
};
using Fragments = std::vector<Fragment>;

/// `size` bytes unlike those of any other number, if there are a few.
inline Bytes content(std::uint64_t number, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i != size; ++i) {
    const std::uint64_t word = (number + 1) * 0x9e3779b97f4a7c15 + i / 8;
    bytes[i] = static_cast<std::byte>(word * 0xbf58476d1ce4e5b9 >> (56 - 8 * (i % 8)));
  }
  return bytes;
}

enum class Fault {
  none,
  lost,       ///< did not come, or what follows came instead
  doubled,    ///< came again
  reordered,  ///< came behind what was to follow it
  damaged,    ///< is nothing that was sent
  premature,  ///< came before its time
};
inline std::ostream& operator<<(std::ostream& out, Fault fault) {
  constexpr const char* names[] = {"none", "lost", "doubled", "reordered", "damaged", "premature"};
  return out << names[static_cast<std::size_t>(fault)];
}

class Oracle {
 public:
  void sent(Fragment fragment) { waiting_.push_back(std::move(fragment)); }
  void sent(const Fragments& fragments) {
    waiting_.insert(waiting_.end(), fragments.begin(), fragments.end());
  }

  /// What is wrong with `shown`, which must be the `count` oldest fragments.
  [[nodiscard]] Fault check(std::span<const Fragment> shown, std::size_t count) const {
    for (std::size_t i = 0; i != shown.size(); ++i) {
      if (i >= count || shown[i] != waiting_[i]) return fault_at(shown, i, count);
    }
    return shown.size() < count ? Fault::lost : Fault::none;
  }
  /// The same when they do not come again.
  [[nodiscard]] Fault take(std::span<const Fragment> shown, std::size_t count) {
    const Fault fault = check(shown, count);
    drop(count);
    return fault;
  }
  /// The `count` oldest fragments were passed on unseen.
  void drop(std::size_t count) {
    for (passed_ += count; count != 0; --count) {
      taken_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
      if (taken_.size() > remembered) taken_.pop_front();
    }
  }

  [[nodiscard]] const std::deque<Fragment>& waiting() const { return waiting_; }
  /// Fragments that went all the way.
  [[nodiscard]] std::size_t passed() const { return passed_; }

  /// How many slots each whole packet has that lies within the oldest `limit` fragments.
  [[nodiscard]] std::vector<std::size_t> whole_packets(std::size_t limit = SIZE_MAX) const {
    std::vector<std::size_t> packets;
    std::size_t begun = 0;
    for (const Fragment& fragment : waiting_ | std::views::take(std::min(limit, waiting_.size()))) {
      ++begun;
      if (!fragment.more()) packets.push_back(std::exchange(begun, 0));
    }
    return packets;
  }
  /// The bytes of the `count` oldest fragments.
  [[nodiscard]] Bytes bytes(std::size_t count) const {
    Bytes all;
    for (const Fragment& fragment : waiting_ | std::views::take(count)) {
      all.insert(all.end(), fragment.bytes.begin(), fragment.bytes.end());
    }
    return all;
  }

 private:
  static constexpr std::size_t remembered = 64;

  [[nodiscard]] Fault fault_at(std::span<const Fragment> shown, std::size_t i,
                               std::size_t count) const {
    const auto has = [](const auto& range, const Fragment& fragment) {
      return std::ranges::find(range, fragment) != range.end();
    };
    const Fragment& odd = shown[i];
    if (has(taken_, odd) || has(shown.first(i), odd)) return Fault::doubled;
    if (!has(waiting_, odd)) return Fault::damaged;
    if (i >= count) return Fault::premature;
    return has(shown.subspan(i + 1), waiting_[i]) ? Fault::reordered : Fault::lost;
  }

  std::deque<Fragment> waiting_;
  std::deque<Fragment> taken_;
  std::size_t passed_ = 0;
};

}  // namespace netmap::test
