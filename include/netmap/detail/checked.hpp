// SPDX-License-Identifier: BSD-2-Clause
//
// Checked builds (NETMAP_CHECKED=1) catch the use of a view after its slot was released,
// committed, or its port closed. Other builds carry no trace of it; there, a stale view of an
// open port still stays inside the region. Both are told apart at link time: a program and a
// library built differently do not link.
#pragma once

#include <netmap/detail/memory.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>

#ifndef NETMAP_CHECKED
#define NETMAP_CHECKED 0
#endif

#if NETMAP_CHECKED
#define NETMAP_BUILD_TAG [[gnu::abi_tag("checked")]]
#else
#define NETMAP_BUILD_TAG
#endif

#if defined(__clang__)
#define NETMAP_LIFETIMEBOUND [[clang::lifetimebound]]
#else
#define NETMAP_LIFETIMEBOUND
#endif

namespace netmap {

/// Thrown in checked builds only, by the use of a view whose slot the program no longer owns.
class StaleView : public std::logic_error {
 public:
  StaleView() : std::logic_error("a netmap slot was used after its release, commit or close") {}
};

namespace detail {

#if NETMAP_CHECKED

/// A ring's bounds and how far it has moved. Outlives the ring, so that views can ask whether they
/// are still good.
class Life {
 public:
  explicit Life(const Bounds& bounds) : state_(std::make_shared<State>(State{bounds})) {}

  [[nodiscard]] const Bounds& bounds() const noexcept { return state_->bounds; }
  void pass(std::uint32_t slots) noexcept { state_->passed += slots; }
  void end() noexcept {
    if (state_) state_->passed = ended;
  }

 private:
  friend class Watch;
  static constexpr std::uint64_t ended = UINT64_MAX;
  struct State {
    Bounds bounds;
    std::uint64_t passed = 0;
  };
  std::shared_ptr<State> state_;
};

class Watch {
 public:
  Watch() = default;
  Watch(const Life& life, const abi::netmap_slot* head)
      : state_(life.state_), start_(state_->passed), head_(head) {}
  void check(const abi::netmap_slot* slot) const {
    if (!state_) return;
    const std::uint64_t behind_head = state_->bounds.slots.distance(head_, slot);
    if (state_->passed > start_ + behind_head) throw StaleView();
  }
  /// For what reads the ring but uses no slot.
  void check_open() const {
    if (state_ && state_->passed == Life::ended) throw StaleView();
  }

 private:
  std::shared_ptr<const Life::State> state_;
  std::uint64_t start_ = 0;
  const abi::netmap_slot* head_ = nullptr;
};

#else

class Life {
 public:
  explicit Life(const Bounds& bounds) noexcept : bounds_(bounds) {}

  [[nodiscard]] const Bounds& bounds() const noexcept { return bounds_; }
  void pass(std::uint32_t) noexcept {}
  void end() noexcept {}

 private:
  Bounds bounds_;
};

class Watch {
 public:
  Watch() = default;
  Watch(const Life&, const abi::netmap_slot*) noexcept {}
  void check(const abi::netmap_slot*) const noexcept {}
  void check_open() const noexcept {}
};

#endif

}  // namespace detail
}  // namespace netmap
