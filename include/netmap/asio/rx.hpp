// SPDX-License-Identifier: BSD-2-Clause
//
// Receiving. A packet that does not fit the caller's buffer stays in the ring.
#pragma once

#include <netmap/asio/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>

namespace netmap::inline NETMAP_ASIO_NAMESPACE {

/// Whole packets of one ring, in place. Gives them back when destroyed, wherever that is; the
/// other side learns of it at the ring's next sync. Keeps the port open until then, and may outlive
/// AsyncPort and event loop. One batch of a ring at a time. Thread: the port's.
template <class Executor = net::any_io_executor>
class BasicBatch {
 public:
  BasicBatch() noexcept = default;
  BasicBatch(Shared<Executor>& shared, std::size_t ring, std::size_t limit)
      : shared_(shared.weak_from_this()), port_(shared.port), ring_(ring), limit_(limit) {
    shared.leased[ring_] = true;
  }
  BasicBatch(BasicBatch&&) noexcept = default;
  BasicBatch& operator=(BasicBatch&& other) noexcept {
    if (this == &other) return *this;
    release();
    shared_ = std::move(other.shared_);
    port_ = std::move(other.port_);
    ring_ = other.ring_;
    limit_ = other.limit_;
    return *this;
  }
  ~BasicBatch() { release(); }

  /// Precondition: neither released nor moved from.
  [[nodiscard]] Packets packets() const noexcept NETMAP_LIFETIMEBOUND {
    return ring().packets(limit_);
  }
  [[nodiscard]] explicit operator bool() const noexcept { return port_ != nullptr; }

  /// Gives the packets back now.
  void release() noexcept {
    if (!port_) return;
    const auto give_back = [this] { return ring().release(packets().end()); };
    const auto shared = shared_.lock();
    (void)(shared && shared->port ? shared->rx.quietly(*port_, give_back) : give_back());
    if (shared) shared->leased[ring_] = false;
    port_.reset();
  }

 private:
  [[nodiscard]] RxRing& ring() const noexcept { return port_->rx_rings()[ring_]; }

  std::weak_ptr<Shared<Executor>> shared_;
  std::shared_ptr<Port> port_;
  std::size_t ring_ = 0;
  std::size_t limit_ = 0;  ///< slots
};

/// What acts on an rx ring have in common.
class RxAct {
 public:
  static constexpr Direction direction = Direction::rx;
  explicit RxAct(std::size_t ring) noexcept : ring_(ring) {}

  static net::enable_total_cancellation cancellation() { return {}; }
  [[nodiscard]] std::size_t ring() const noexcept { return ring_; }
  [[nodiscard]] std::uint32_t wanted() const noexcept { return 1; }
  template <class Executor>
  [[nodiscard]] bool is_ready(const Shared<Executor>& shared) const noexcept {
    const RxRing& ring = this->of(shared);
    return shared.leased[ring_] || !ring.is_sound() || !ring.packets().empty();
  }

 protected:
  template <class Executor>
  [[nodiscard]] RxRing& of(const Shared<Executor>& shared) const noexcept {
    return shared.port->rx_rings()[ring_];
  }
  /// Fails if the ring cannot be received from.
  template <class Executor>
  [[nodiscard]] Result<> check(const Shared<Executor>& shared) const {
    if (shared.leased[ring_]) {
      return std::unexpected(make_error_code(std::errc::operation_in_progress));
    }
    if (!of(shared).is_sound()) return std::unexpected(Error(errc::ring_corrupt));
    return {};
  }

 private:
  std::size_t ring_;
};

class WaitForPackets : public RxAct {
 public:
  using Signature = void(AsioError);
  using RxAct::RxAct;

  template <class Executor>
  Result<bool> act(Shared<Executor>& shared) {
    if (auto usable = check(shared); !usable) return std::unexpected(usable.error());
    return is_ready(shared);
  }
  std::tuple<> results() { return {}; }
};

/// Copies one packet out. As a stream does it, an empty buffer takes nothing, and a packet of no
/// bytes, which would be the stream's end, is passed over.
template <class Buffers>
class Receive : public RxAct {
 public:
  using Signature = void(AsioError, std::size_t);
  /// `tells_need`: whether, after packet_too_large, the size is the packet's instead of 0.
  Receive(std::size_t ring, Buffers into, bool tells_need)
      : RxAct(ring), into_(std::move(into)), tells_need_(tells_need) {}

  template <class Executor>
  [[nodiscard]] bool is_ready(const Shared<Executor>& shared) const noexcept {
    return takes_nothing() || RxAct::is_ready(shared);
  }
  template <class Executor>
  Result<bool> act(Shared<Executor>& shared) {
    if (takes_nothing()) return true;
    if (auto usable = check(shared); !usable) return std::unexpected(usable.error());
    RxRing& ring = of(shared);
    while (!ring.packets().empty()) {
      auto taken = take(ring);
      if (!taken || size_ != 0 || tells_need_) return taken;
    }
    return false;
  }
  std::tuple<std::size_t> results() { return {size_}; }

 private:
  Result<bool> take(RxRing& ring) {
    const Packet packet = *ring.packets().begin();
    const std::size_t size = packet.size();
    if (size > net::buffer_size(into_)) {
      size_ = tells_need_ ? size : 0;
      return detail::refuse<bool>(errc::packet_too_large);
    }
    if (auto copied = copy(packet); !copied) return std::unexpected(copied.error());
    size_ = size;
    if (auto released = ring.release(packet.after()); !released) {
      return std::unexpected(released.error());
    }
    return true;
  }
  [[nodiscard]] bool takes_nothing() const noexcept {
    return !tells_need_ && net::buffer_size(into_) == 0;
  }
  Result<> copy(const Packet& packet) {
    auto into = net::buffer_sequence_begin(into_);
    net::mutable_buffer room;
    for (const RxSlot fragment : packet.fragments()) {
      if (!fragment.is_sound()) return detail::refuse(errc::ring_corrupt);
      net::const_buffer rest(fragment.bytes().data(), fragment.bytes().size());
      while (rest.size() != 0) {
        while (room.size() == 0) {
          if (into == net::buffer_sequence_end(into_)) return detail::refuse(errc::ring_corrupt);
          room = *into++;
        }
        const std::size_t part = net::buffer_copy(room, rest);
        room += part;
        rest += part;
      }
    }
    return {};
  }

  Buffers into_;
  bool tells_need_;
  std::size_t size_ = 0;
};

template <class Executor>
class ReceiveBatch : public RxAct {
 public:
  using Signature = void(AsioError, BasicBatch<Executor>);
  ReceiveBatch(std::size_t ring, std::size_t limit) : RxAct(ring), limit_(limit) {}

  Result<bool> act(Shared<Executor>& shared) {
    if (auto usable = check(shared); !usable) return std::unexpected(usable.error());
    const auto waiting = of(shared).packets().slots().size();
    if (waiting == 0) return false;
    for (std::size_t slots = std::min(waiting, limit_); slots <= waiting; ++slots) {
      if (of(shared).packets(slots).empty()) continue;  // the first packet is longer
      batch_ = BasicBatch<Executor>(shared, ring(), slots);
      return true;
    }
    return false;
  }
  std::tuple<BasicBatch<Executor>> results() { return {std::move(batch_)}; }

 private:
  std::size_t limit_;
  BasicBatch<Executor> batch_;
};

}  // namespace netmap::inline NETMAP_ASIO_NAMESPACE
