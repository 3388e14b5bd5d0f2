// SPDX-License-Identifier: BSD-2-Clause
//
// Checked builds (NETMAP_CHECKED=1) catch the use of a view after its slot was released,
// committed, or its port closed. Other builds carry no trace of it; there, a stale view of an
// open port still stays inside the region. Both are told apart at link time: a program and a
// library built differently do not link.
#pragma once

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

/// Outlives its ring: views ask it whether they are still good.
class Life {
 public:
  void pass(std::uint32_t slots) noexcept { *passed_ += slots; }
  void end() noexcept {
    if (passed_) *passed_ = ended;
  }

 private:
  friend class Watch;
  static constexpr std::uint64_t ended = UINT64_MAX;
  std::shared_ptr<std::uint64_t> passed_ = std::make_shared<std::uint64_t>(0);
};

class Watch {
 public:
  Watch() = default;
  explicit Watch(const Life& life) : passed_(life.passed_), start_(*passed_) {}
  /// `offset` counts slots from the head at which the view was made.
  void check(std::uint32_t offset) const {
    if (passed_ && *passed_ > start_ + offset) throw StaleView();
  }

 private:
  std::shared_ptr<const std::uint64_t> passed_;
  std::uint64_t start_ = 0;
};

#else

class Life {
 public:
  void pass(std::uint32_t) noexcept {}
  void end() noexcept {}
};

class Watch {
 public:
  Watch() = default;
  explicit Watch(const Life&) noexcept {}
  void check(std::uint32_t) const noexcept {}
};

#endif

}  // namespace detail
}  // namespace netmap
