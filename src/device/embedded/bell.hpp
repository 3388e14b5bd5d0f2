// SPDX-License-Identifier: BSD-2-Clause
//
// How endpoints sleep and wake. Whoever is about to sleep writes its number beside the ring, passes
// a barrier, and looks once more; whoever publishes looks for such a number afterwards. One of the
// two must see the other's store. The barrier is paid by the side that goes to sleep: membarrier(2)
// makes every running thread of the domain pass it, so the busy side needs none.
#pragma once

#include "device/embedded/domain.hpp"
#include "os/wake_set.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace netmap::embedded {

/// The FIFOs of one endpoint, held by its owner: rx and tx, apart so that neither eats the other's
/// wake-up, and life, which only the owner reads from: as long as a copy of that descriptor is
/// open, the endpoint lives, and who writes to it is told when it is closed.
class Bell {
 public:
  /// Makes endpoint's FIFOs anew. Under the domain's lock.
  [[nodiscard]] static Result<Bell> make(const Domain& domain, std::uint32_t endpoint);
  /// The bell of an endpoint that lives, by a copy of its `life`.
  [[nodiscard]] static Result<Bell> share(const Domain& domain, std::uint32_t endpoint,
                                          os::File life);
  /// Whether somebody holds the bell of `endpoint`, or that cannot be told.
  [[nodiscard]] static bool is_held(const Domain& domain, std::uint32_t endpoint);
  /// Wakes `endpoint`, whatever it waits for.
  static void ring(const Domain& domain, std::uint32_t endpoint);
  /// The endpoint to which a file of that name belongs, if it is one of a bell.
  [[nodiscard]] static std::optional<std::uint32_t> owner_of(std::string_view file);

  /// As long as a copy of it is open, in whatever process, the endpoint lives.
  [[nodiscard]] int life() const noexcept { return life_.fd(); }

  /// Readable when the bell was rung for `direction`, or a watched endpoint died.
  [[nodiscard]] int fd(Direction direction) const noexcept { return side(direction).wake.fd(); }
  void drain(Direction direction) noexcept { side(direction).wake.drain(); }

  /// Has the death of `endpoint` wake this one, too. One that is dead already, and one for which
  /// there is no descriptor to spare, never does.
  void watch(const Domain& domain, std::uint32_t endpoint);
  void watch_nobody() noexcept { watched_.clear(); }
  [[nodiscard]] bool watches_anybody() const noexcept { return !watched_.empty(); }
  /// Whether one of the watched lives.
  [[nodiscard]] bool has_company() const noexcept;

 private:
  struct Side {
    os::File fifo;
    os::WakeSet wake;
  };
  static Result<Side> make_side(const Domain& domain, const std::string& name,
                                Result<os::File> fifo);
  Bell(Side rx, Side tx, os::File life)
      : rx_(std::move(rx)), tx_(std::move(tx)), life_(std::move(life)) {}

  [[nodiscard]] const Side& side(Direction direction) const noexcept {
    return direction == Direction::rx ? rx_ : tx_;
  }
  [[nodiscard]] Side& side(Direction direction) noexcept {
    return direction == Direction::rx ? rx_ : tx_;
  }

  Side rx_;
  Side tx_;
  os::File life_;
  std::vector<os::File> watched_;
};

/// use(endpoint, its mark) for everybody in `sleepers`, see RingWords.
template <class Use>
void for_each_sleeper(std::uint64_t sleepers, Use&& use) {
  for (std::uint32_t lane = 0; lane != lanes; ++lane) {
    const std::uint64_t mark = sleepers & std::uint64_t{0xffff} << (16 * lane);
    const auto number = static_cast<std::uint32_t>(mark >> (16 * lane));
    if (number != 0 && number <= max_endpoints) use(number - 1, mark);
  }
}

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
