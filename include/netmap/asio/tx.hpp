// SPDX-License-Identifier: BSD-2-Clause
//
// Sending. An operation that completes without an error has handed its packets over: it synced.
#pragma once

#include <netmap/asio/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <span>
#include <tuple>
#include <utility>

namespace netmap::inline NETMAP_ASIO_NAMESPACE {

/// What acts on a tx ring have in common.
class TxAct {
 public:
  static constexpr Direction direction = Direction::tx;
  TxAct(std::size_t ring, std::uint32_t free_slots) noexcept
      : ring_(ring), free_slots_(free_slots) {}

  static net::enable_total_cancellation cancellation() { return {}; }
  [[nodiscard]] std::size_t ring() const noexcept { return ring_; }
  [[nodiscard]] std::uint32_t wanted() const noexcept { return free_slots_; }
  template <class Executor>
  [[nodiscard]] bool is_ready(const Shared<Executor>& shared) const noexcept {
    return shared.is_shut_down || has_room(shared);
  }
  std::tuple<> results() { return {}; }

 protected:
  /// Or will never have.
  template <class Executor>
  [[nodiscard]] bool has_room(const Shared<Executor>& shared) const noexcept {
    const TxRing& ring = of(shared);
    return free_slots_ >= ring.num_slots() || !ring.is_sound() ||
           ring.slots().size() >= free_slots_;
  }
  template <class Executor>
  [[nodiscard]] TxRing& of(const Shared<Executor>& shared) const noexcept {
    return shared.port->tx_rings()[ring_];
  }
  /// Fails if as many slots will never be free, or the ring was shut down.
  template <class Executor>
  [[nodiscard]] Result<> check(const Shared<Executor>& shared) const {
    if (shared.is_shut_down) return std::unexpected(make_error_code(std::errc::broken_pipe));
    if (!of(shared).is_sound()) return std::unexpected(Error(errc::ring_corrupt));
    if (free_slots_ >= of(shared).num_slots()) {
      return std::unexpected(Error(errc::packet_too_large));
    }
    return {};
  }
  void set_free_slots(std::size_t slots) noexcept {
    free_slots_ = static_cast<std::uint32_t>(std::clamp<std::size_t>(slots, 1, UINT32_MAX));
  }

 private:
  std::size_t ring_;
  std::uint32_t free_slots_;
};

class WaitForRoom : public TxAct {
 public:
  using Signature = void(AsioError);
  using TxAct::TxAct;

  template <class Executor>
  Result<bool> act(Shared<Executor>& shared) {
    if (auto usable = check(shared); !usable) return std::unexpected(usable.error());
    return is_ready(shared);
  }
};

/// Puts the packet that `buffers` make up together into the ring; nothing on failure. Yields false
/// if there is no room.
template <class Buffers>
Result<bool> put(TxRing& ring, const Buffers& buffers) {
  auto packet = ring.writer();
  Result<> done;
  const auto end = net::buffer_sequence_end(buffers);
  for (auto each = net::buffer_sequence_begin(buffers); done && each != end; ++each) {
    const net::const_buffer part(*each);
    done = packet.append({static_cast<const std::byte*>(part.data()), part.size()});
  }
  if (done) done = packet.commit();
  if (!done && done.error() != make_error_code(errc::ring_full)) {
    return std::unexpected(done.error());
  }
  return done.has_value();
}

template <class Buffers>
std::size_t slots_for(const TxRing& ring, const Buffers& packet) {
  const std::size_t size = std::max<std::size_t>(1, net::buffer_size(packet));
  return (size + ring.buffer_size() - 1) / std::max<std::size_t>(1, ring.buffer_size());
}

/// Sends one packet. As a stream does it, no bytes are no packet.
template <class Buffers>
class Send : public TxAct {
 public:
  using Signature = void(AsioError, std::size_t);
  Send(std::size_t ring, std::size_t slots, Buffers packet, bool is_stream)
      : TxAct(ring, 1), packet_(std::move(packet)), is_stream_(is_stream) {
    set_free_slots(slots);
  }

  template <class Executor>
  [[nodiscard]] bool is_ready(const Shared<Executor>& shared) const noexcept {
    return sends_nothing() || TxAct::is_ready(shared);
  }
  template <class Executor>
  Result<bool> act(Shared<Executor>& shared) {
    if (sends_nothing()) return true;
    if (auto usable = check(shared); !usable) return std::unexpected(usable.error());
    if (auto done = put(of(shared), packet_); !done || !*done) return done;
    size_ = net::buffer_size(packet_);
    if (auto synced = shared.port->sync_tx(); !synced) return std::unexpected(synced.error());
    return true;
  }
  std::tuple<std::size_t> results() { return {size_}; }

 private:
  [[nodiscard]] bool sends_nothing() const noexcept {
    return is_stream_ && net::buffer_size(packet_) == 0;
  }

  Buffers packet_;
  bool is_stream_;
  std::size_t size_ = 0;
};

/// Sends packet after packet, as many at once as there is room for.
template <class Packets>
class SendBatch : public TxAct {
 public:
  using Signature = void(AsioError, std::size_t);
  SendBatch(std::size_t ring, Packets packets) : TxAct(ring, 1), packets_(std::move(packets)) {}

  /// What is sent is sent: the handler is told how many were.
  static net::enable_partial_cancellation cancellation() { return {}; }

  template <class Executor>
  [[nodiscard]] bool is_ready(const Shared<Executor>& shared) const noexcept {
    return std::ranges::empty(packets_) || TxAct::is_ready(shared);
  }
  template <class Executor>
  Result<bool> act(Shared<Executor>& shared) {
    if (auto usable = check(shared); !usable) return std::unexpected(usable.error());
    auto sent = send(of(shared));
    const auto synced = shared.port->sync_tx();
    if (sent && !synced) return std::unexpected(synced.error());
    return sent;
  }
  std::tuple<std::size_t> results() { return {count_}; }

 private:
  Result<bool> send(TxRing& ring) {
    for (; count_ != std::ranges::size(packets_); ++count_) {
      const auto& packet = std::ranges::begin(packets_)[static_cast<std::ptrdiff_t>(count_)];
      set_free_slots(slots_for(ring, packet));
      if (wanted() >= ring.num_slots()) return detail::refuse<bool>(errc::packet_too_large);
      if (auto done = put(ring, packet); !done || !*done) return done;
    }
    return true;
  }

  Packets packets_;
  std::size_t count_ = 0;
};

/// Hands over what was committed to the ring by other means.
class Flush : public TxAct {
 public:
  using Signature = void(AsioError);
  explicit Flush(std::size_t ring) noexcept : TxAct(ring, 1) {}

  template <class Executor>
  [[nodiscard]] bool is_ready(const Shared<Executor>&) const noexcept {
    return true;
  }
  template <class Executor>
  Result<bool> act(Shared<Executor>& shared) {
    if (auto synced = shared.port->sync_tx(); !synced) return std::unexpected(synced.error());
    return true;
  }
};

/// Ends sending: flushes, then waits until the other side has taken everything.
class Shutdown : public TxAct {
 public:
  using Signature = void(AsioError);
  Shutdown(std::size_t ring, std::uint32_t all_slots) noexcept : TxAct(ring, all_slots) {}

  static net::enable_partial_cancellation cancellation() { return {}; }

  /// Who waits for room is told that there will be none.
  template <class Executor>
  Result<bool> act(Shared<Executor>& shared) {
    if (!std::exchange(shared.is_shut_down, true)) shared.tx.wake_all();
    if (auto synced = shared.port->sync_tx(); !synced) return std::unexpected(synced.error());
    return has_room(shared);
  }
  template <class Executor>
  [[nodiscard]] bool is_ready(const Shared<Executor>& shared) const noexcept {
    return !shared.is_shut_down || has_room(shared);
  }
};

}  // namespace netmap::inline NETMAP_ASIO_NAMESPACE
