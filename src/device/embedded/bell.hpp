// SPDX-License-Identifier: BSD-2-Clause
//
// How endpoints sleep and wake. Whoever is about to sleep writes its number beside the ring, passes
// a barrier, and looks once more; whoever publishes looks for such a number afterwards. One of the
// two must see the other's store. The barrier is paid by the side that goes to sleep: membarrier(2)
// makes every running thread of the domain pass it, so the busy side needs none.
#pragma once

#include "device/embedded/domain.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace netmap::embedded {

/// The two FIFOs of one endpoint; rx and tx apart, so that neither eats the other's wake-up. Held
/// by its owner: as long as a copy of the descriptors is open, the endpoint lives.
class Bell {
 public:
  /// Makes endpoint's FIFOs anew. Under the domain's lock.
  [[nodiscard]] static Result<Bell> make(const Domain& domain, std::uint32_t endpoint);
  /// Whether somebody holds the bell of `endpoint`, or that cannot be told.
  [[nodiscard]] static bool is_held(const Domain& domain, std::uint32_t endpoint);
  /// Wakes `endpoint`, whatever it waits for.
  static void ring(const Domain& domain, std::uint32_t endpoint);
  /// The endpoint to which a file of that name belongs, if it is one of a bell.
  [[nodiscard]] static std::optional<std::uint32_t> owner_of(std::string_view file);

  [[nodiscard]] const os::File& fifo(Direction direction) const noexcept {
    return direction == Direction::rx ? rx_ : tx_;
  }

 private:
  Bell(os::File rx, os::File tx) : rx_(std::move(rx)), tx_(std::move(tx)) {}

  os::File rx_;
  os::File tx_;
};

/// A process's entry to the barrier, and what it knows of other endpoints' FIFOs.
class Ringer {
 public:
  explicit Ringer(std::shared_ptr<Domain> domain);

  /// After publishing: makes the store visible before sleepers are looked for. Yields the domain's
  /// attention.
  std::uint32_t publish_barrier() const noexcept {
    const auto now = domain_->state().attention.load(std::memory_order_relaxed);
    if ((now & attention::fences) != 0) [[unlikely]] {
      std::atomic_thread_fence(std::memory_order_seq_cst);
    } else {
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    return now;
  }
  /// Before sleeping: makes the sleeper's number visible before it looks once more.
  void sleep_barrier() const noexcept;

  /// Wakes everybody in `sleepers`, who wait for `direction`.
  void wake(std::atomic<std::uint64_t>& sleepers, Direction direction) noexcept;

 private:
  struct Known {
    std::uint32_t epoch = 0;
    std::array<os::File, 2> fifos;
  };
  os::Outcome<const os::File*> fifo_of(std::uint32_t endpoint, Direction direction) noexcept;

  std::shared_ptr<Domain> domain_;
  std::vector<Known> known_;
};

}  // namespace netmap::embedded
