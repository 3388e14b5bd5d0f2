// SPDX-License-Identifier: BSD-2-Clause
//
// One direction of an async port, and those who wait for it. All of them wait for one descriptor,
// and all wake when it is readable: each looks at its own ring, and waits again if that was not it.
#pragma once

#include <netmap/alarm.hpp>
#include <netmap/asio/net.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace netmap::inline NETMAP_ASIO_NAMESPACE {

template <class Executor>
class Side {
 public:
  Side(const Executor& executor, Alarm alarm, Direction direction)
      : alarm_(std::move(alarm)), handle_(executor), direction_(direction) {}
  ~Side() { stop(); }

  /// Fails if the event loop does not take the descriptor.
  [[nodiscard]] AsioError start(std::size_t rings) {
    AsioError failed;
    wanted_.resize(rings);
    handle_.assign(alarm_.fd(), failed);
    return failed;
  }
  /// Ends all waiting. The descriptor is the alarm's, so it is not closed here.
  void stop() {
    if (handle_.is_open()) handle_.release();
  }

  /// Asks for a wake-up for `ring`, and that of every ring that is waited for already, once as many
  /// slots are owned: for rx, of whole packets. Yields false if one of them is ready now: its
  /// waiters are woken, and `ring` is to be looked at again.
  Result<bool> enter(Port& port, std::size_t ring, std::uint32_t slots) {
    if (waiting_ != 0) {
      if (auto cleared = alarm_.clear(port); !cleared) {
        wake_all();
        return std::unexpected(cleared.error());
      }
    }
    wanted_[ring] = slots;
    ++waiting_;
    auto set = this->set(port);
    if (!set || !*set) {
      --waiting_;
      wake_all();
    }
    return set;
  }
  /// Calls `handler` at the wake-up; between enter() and leave().
  template <class Handler>
  void async_wait(Handler&& handler) {
    handle_.async_wait(net::posix::descriptor_base::wait_read, std::forward<Handler>(handler));
  }
  /// After the wake-up, whatever woke.
  Result<> leave(Port& port, std::size_t ring) {
    auto cleared = alarm_.clear(port);
    wanted_[ring] = 0;
    if (--waiting_ != 0) rearm(port);
    return cleared;
  }
  /// Everybody who waits looks again; until then their rings are not waited for.
  void wake_all() {
    std::ranges::fill(wanted_, 0);
    AsioError ignored;
    handle_.cancel(ignored);
  }

  /// Calls `use`, which moves or syncs rings of this direction, while nobody else does.
  template <class Use>
  auto quietly(Port& port, Use&& use) {
    const Quiet quiet(*this, port);
    return use();
  }

 private:
  /// No wake-up is asked for as long as this exists.
  class Quiet {
   public:
    Quiet(Side& side, Port& port) : side_(side), port_(port) {
      if (disturbed_) (void)side_.alarm_.clear(port_);
    }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;
    ~Quiet() {
      if (disturbed_) side_.rearm(port_);
    }

   private:
    Side& side_;
    Port& port_;
    const bool disturbed_ = side_.waiting_ != 0 && side_.alarm_.moves_rings();
  };

  void rearm(Port& port) {
    const auto set = this->set(port);
    if (!set || !*set) wake_all();
  }

  /// What is in a ring now is no reason to wake if nobody waits for it, or not for so little.
  Result<bool> set(Port& port) {
    std::size_t n = 0;
    if (direction_ == Direction::rx) {
      for (RxRing& ring : port.rx_rings()) {
        if (wanted_[n++] != 0 && !ring.packets().empty()) return false;
        (void)ring.seen(ring.slots().end());
      }
    } else {
      for (TxRing& ring : port.tx_rings()) {
        const std::uint32_t slots = wanted_[n++];
        if (slots == 0 || !ring.want(slots)) ring.want_none();
      }
    }
    return alarm_.set(port);
  }

  Alarm alarm_;
  net::posix::basic_stream_descriptor<Executor> handle_;
  Direction direction_;
  std::size_t waiting_ = 0;
  std::vector<std::uint32_t> wanted_;  ///< by ring, how many slots wake; 0: nobody waits
};

}  // namespace netmap::inline NETMAP_ASIO_NAMESPACE
