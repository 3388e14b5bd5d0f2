// SPDX-License-Identifier: BSD-2-Clause
//
// The order of calls, which is the same for every operation:
//
//     look; not ready: sync, look; still not: spin as long as the port's options say;
//     ask for a wake-up, which looks once more; wait; woken: sync, look; not ready: ask again
//
// An operation acts only when it completes, so one that is cancelled has done nothing, or, if it
// works in parts, says how many. It does not complete inside the call that started it.
#pragma once

#include <netmap/asio/shared.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <system_error>
#include <tuple>
#include <utility>

namespace netmap::inline NETMAP_ASIO_NAMESPACE {

#if NETMAP_CHECKED
/// For tests: called between the last look and the wait.
inline void (*before_wait)() = [] {};
#else
inline constexpr auto before_wait = [] {};
#endif

/// An Act is one kind of operation on a ring. It has
///     Signature     the handler's
///     direction     of its ring
///     ring()        which one
///     wanted()      how many slots it needs to own, at least
///     is_ready(shared)  whether act() would get on
///     act(shared)   does it; yields false to wait for more; may fail
///     results()     what the handler is told beside the error, as a tuple
///     cancellation()    which kinds of it are possible
template <class Executor, class Act>
class Operation {
 public:
  Operation(std::shared_ptr<Shared<Executor>> shared, Act act)
      : shared_(std::move(shared)), act_(std::move(act)) {}

  template <class Self>
  void operator()(Self& self, AsioError = {}) {
    switch (std::exchange(stage_, Stage::ready)) {
      case Stage::started: return start(self);
      case Stage::ready: return act(self);
      case Stage::waiting: return woken(self);
    }
  }

 private:
  enum class Stage : std::uint8_t { started, ready, waiting };

  template <class Self>
  void start(Self& self) {
    cancelled_ = shared_->cancelled;
    self.reset_cancellation_state(Act::cancellation());
    if (is_over(self)) return post(self);
    if (auto found = look_long(); !found || *found) return keep(found), post(self);
    wait(self);
  }

  template <class Self>
  void act(Self& self) {
    if (failure_) return complete(self, failure_);
    if (!shared_->port) return complete(self, net::error::operation_aborted);
    const auto done = side().quietly(*shared_->port, [this] { return act_.act(*shared_); });
    if (!done) return complete(self, done.error().code());
    if (*done) return complete(self, AsioError());
    if (is_over(self)) return complete(self, net::error::operation_aborted);
    wait(self);
  }

  /// Comes back in stage `waiting`, or in `ready` if somebody's ring is.
  template <class Self>
  void wait(Self& self) {
    Result<bool> idle = true;
    do {
      idle = side().enter(*shared_->port, act_.ring(), act_.wanted());
    } while (idle && !*idle && !act_.is_ready(*shared_));
    if (!idle || !*idle) return keep(idle), post(self);
    before_wait();
    stage_ = Stage::waiting;
    auto& side = this->side();  // self takes this object along
    side.async_wait(std::move(self));
  }

  template <class Self>
  void woken(Self& self) {
    if (!shared_->port) return complete(self, net::error::operation_aborted);
    if (auto left = side().leave(*shared_->port, act_.ring()); !left) {
      return complete(self, left.error().code());
    }
    if (is_over(self)) return complete(self, net::error::operation_aborted);
    const auto found = look();
    if (!found) return complete(self, found.error().code());
    *found ? act(self) : wait(self);
  }

  template <class Self>
  [[nodiscard]] bool is_over(Self& self) const {
    return !shared_->port || shared_->cancelled != cancelled_ ||
           self.get_cancellation_state().cancelled() != net::cancellation_type::none;
  }

  [[nodiscard]] Side<Executor>& side() { return shared_->template side<Act::direction>(); }

  Result<bool> look() {
    if (act_.is_ready(*shared_)) return true;
    if (auto synced = shared_->template sync<Act::direction>(); !synced) {
      return std::unexpected(synced.error());
    }
    return act_.is_ready(*shared_);
  }
  Result<bool> look_long() {
    auto found = look();
    const auto spin = shared_->port->spin();
    if (!found || *found || spin == std::chrono::nanoseconds(0)) return found;
    const auto start = std::chrono::steady_clock::now();
    while (found && !*found && std::chrono::steady_clock::now() - start < spin) found = look();
    return found;
  }

  void keep(const Result<bool>& found) {
    if (!found) failure_ = found.error().code();
  }
  template <class Self>
  static void post(Self& self) {
    net::post(std::move(self));
  }
  template <class Self>
  void complete(Self& self, const AsioError& error) {
    auto arguments = std::tuple_cat(std::tuple(error), act_.results());
    shared_.reset();
    std::apply([&self](auto&&... each) { self.complete(std::move(each)...); },
               std::move(arguments));
  }

  std::shared_ptr<Shared<Executor>> shared_;
  Act act_;
  std::uint64_t cancelled_ = 0;  ///< of Shared, at the start
  std::error_code failure_;
  Stage stage_ = Stage::started;
};

template <class Executor, class Act, class Token>
auto initiate(const std::shared_ptr<Shared<Executor>>& shared, Act act, Token&& token) {
  return net::async_compose<Token, typename Act::Signature>(
      Operation<Executor, Act>(shared, std::move(act)), token, shared->executor);
}

}  // namespace netmap::inline NETMAP_ASIO_NAMESPACE
