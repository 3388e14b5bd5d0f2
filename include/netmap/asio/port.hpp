// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/asio/rx.hpp>
#include <netmap/asio/tx.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ranges>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace netmap::inline NETMAP_ASIO_NAMESPACE {

template <class Executor>
class BasicAsyncPort;

/// An rx ring of an async port. An AsyncReadStream, one packet a read.
template <class Executor = net::any_io_executor>
class BasicAsyncRxRing {
 public:
  using executor_type = Executor;
  using Batch = BasicBatch<Executor>;

  [[nodiscard]] executor_type get_executor() const noexcept { return shared_->executor; }
  /// The ring itself, to be used while no operation waits on an rx ring of the port.
  /// Precondition: the port is open.
  [[nodiscard]] RxRing& ring() noexcept { return shared_->port->rx_rings()[ring_]; }
  /// Port::sync_rx(), here and now: for loops over ring() that wait only when nothing is there. An
  /// operation takes a turn of the event loop even if it need not wait. Disturbs nobody who waits.
  /// Fails with std::errc::operation_canceled once the port is closed.
  Result<> sync() { return shared_->template sync<Direction::rx>(); }

  /// Until a whole packet is there. void(error)
  template <class Token>
  auto async_wait(Token&& token) {
    return initiate(shared_, WaitForPackets(ring_), std::forward<Token>(token));
  }
  /// Copies out the oldest packet. void(error, size): the packet's, also if it was too large.
  template <class Buffers, class Token>
  auto async_receive(const Buffers& into, Token&& token) {
    return initiate(shared_, Receive<Buffers>(ring_, into, true), std::forward<Token>(token));
  }
  /// Yields what is there, in place: whole packets of at most `slots` slots, and at least one.
  /// void(error, Batch)
  template <class Token>
  auto async_receive_batch(std::size_t slots, Token&& token) {
    return initiate(shared_, ReceiveBatch<Executor>(ring_, slots), std::forward<Token>(token));
  }
  template <class Token>
  auto async_receive_batch(Token&& token) {
    return async_receive_batch(SIZE_MAX, std::forward<Token>(token));
  }
  /// async_receive as AsyncReadStream asks for it: an empty buffer takes nothing, a packet of no
  /// bytes is passed over, and one that is too large counts 0.
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& into, Token&& token) {
    return initiate(shared_, Receive<Buffers>(ring_, into, false), std::forward<Token>(token));
  }

 private:
  friend class BasicAsyncPort<Executor>;
  BasicAsyncRxRing(std::shared_ptr<Shared<Executor>> shared, std::size_t ring)
      : shared_(std::move(shared)), ring_(ring) {}

  std::shared_ptr<Shared<Executor>> shared_;
  std::size_t ring_;
};

/// A tx ring of an async port. An AsyncWriteStream, one packet a write.
template <class Executor = net::any_io_executor>
class BasicAsyncTxRing {
 public:
  using executor_type = Executor;

  [[nodiscard]] executor_type get_executor() const noexcept { return shared_->executor; }
  /// The ring itself, to be used while no operation waits on a tx ring of the port; what is
  /// committed goes with async_flush or sync(). Precondition: the port is open.
  [[nodiscard]] TxRing& ring() noexcept { return shared_->port->tx_rings()[ring_]; }
  /// Port::sync_tx(), here and now, as BasicAsyncRxRing::sync() does it.
  Result<> sync() { return shared_->template sync<Direction::tx>(); }

  /// Until `free_slots` are free. void(error)
  template <class Token>
  auto async_wait(std::uint32_t free_slots, Token&& token) {
    return initiate(shared_, WaitForRoom(ring_, free_slots), std::forward<Token>(token));
  }
  /// Sends one packet, the bytes of all `buffers`, once there is room. void(error, size)
  template <class Buffers, class Token>
  auto async_send(const Buffers& packet, Token&& token) {
    return send(packet, false, std::forward<Token>(token));
  }
  /// Sends each of `packets`, a view of buffers or sequences of buffers, such as a std::span of
  /// const_buffer. void(error, packets sent)
  template <std::ranges::random_access_range PacketsView, class Token>
    requires std::ranges::view<PacketsView> && std::ranges::sized_range<PacketsView>
  auto async_send_batch(PacketsView packets, Token&& token) {
    return initiate(shared_, SendBatch<PacketsView>(ring_, std::move(packets)),
                    std::forward<Token>(token));
  }
  /// Hands over what was committed to ring(). void(error)
  template <class Token>
  auto async_flush(Token&& token) {
    return initiate(shared_, Flush(ring_), std::forward<Token>(token));
  }
  /// Flushes, then waits until the other side has taken everything, which it may never do. From
  /// here on, cancelled or not, sending fails with broken_pipe on all rings, and whoever waits for
  /// room is told so. void(error)
  template <class Token>
  auto async_shutdown(Token&& token) {
    const std::uint32_t all = shared_->port ? ring().num_slots() - 1 : 1;
    return initiate(shared_, Shutdown(ring_, all), std::forward<Token>(token));
  }
  /// async_send as AsyncWriteStream asks for it: no bytes are no packet.
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& packet, Token&& token) {
    return send(packet, true, std::forward<Token>(token));
  }

 private:
  friend class BasicAsyncPort<Executor>;
  BasicAsyncTxRing(std::shared_ptr<Shared<Executor>> shared, std::size_t ring)
      : shared_(std::move(shared)), ring_(ring) {}

  template <class Buffers, class Token>
  auto send(const Buffers& packet, bool is_stream, Token&& token) {
    const std::size_t slots = shared_->port ? slots_for(ring(), packet) : 1;
    return initiate(shared_, Send<Buffers>(ring_, slots, packet, is_stream),
                    std::forward<Token>(token));
  }

  std::shared_ptr<Shared<Executor>> shared_;
  std::size_t ring_;
};

/// A port in an event loop; see asio.hpp.
template <class Executor = net::any_io_executor>
class BasicAsyncPort {
 public:
  using executor_type = Executor;

  /// Takes a port over. Fails with the system's error if the event loop cannot wait for it.
  [[nodiscard]] static Result<BasicAsyncPort> make(const Executor& executor, Port port) {
    auto rx = Alarm::make(port, Direction::rx);
    if (!rx) return std::unexpected(rx.error());
    auto tx = Alarm::make(port, Direction::tx);
    if (!tx) return std::unexpected(tx.error());
    BasicAsyncPort made(std::make_shared<Shared<Executor>>(executor, std::move(port),
                                                           std::move(*rx), std::move(*tx)));
    for (const AsioError failed :
         {made.shared_->rx.start(made.rx_.size()), made.shared_->tx.start(made.tx_.size())}) {
      if (failed) {
        return std::unexpected(Error(static_cast<std::error_code>(failed),
                                     "cannot wait on '" + made.port().info().name +
                                         "' in an event loop: " + failed.message()));
      }
    }
    return made;
  }
  /// As netmap::open().
  [[nodiscard]] static Result<BasicAsyncPort> open(const Executor& executor, std::string_view name,
                                                   const PortOptions& options = {}) {
    auto port = netmap::open(name, options);
    if (!port) return std::unexpected(port.error());
    return make(executor, std::move(*port));
  }

  BasicAsyncPort(BasicAsyncPort&&) noexcept = default;
  BasicAsyncPort& operator=(BasicAsyncPort&& other) noexcept {
    if (this == &other) return *this;
    close();
    shared_ = std::move(other.shared_);
    rx_ = std::move(other.rx_);
    tx_ = std::move(other.tx_);
    return *this;
  }
  ~BasicAsyncPort() { close(); }

  [[nodiscard]] executor_type get_executor() const noexcept { return shared_->executor; }
  /// Precondition: not closed.
  [[nodiscard]] const Port& port() const noexcept { return *shared_->port; }

  /// As Port's. Good until the AsyncPort goes, wherever it is moved.
  [[nodiscard]] std::span<BasicAsyncRxRing<Executor>> rx_rings() & noexcept NETMAP_LIFETIMEBOUND {
    return rx_;
  }
  [[nodiscard]] std::span<BasicAsyncTxRing<Executor>> tx_rings() & noexcept NETMAP_LIFETIMEBOUND {
    return tx_;
  }
  void rx_rings() && = delete;
  void tx_rings() && = delete;

  /// Ends every operation that waits, with operation_aborted.
  void cancel() {
    if (shared_) shared_->cancel();
  }
  /// Also gives the port back, once the last batch has gone.
  void close() {
    if (!shared_ || !shared_->port) return;
    shared_->rx.stop();
    shared_->tx.stop();
    shared_->port.reset();
  }

 private:
  explicit BasicAsyncPort(std::shared_ptr<Shared<Executor>> shared) : shared_(std::move(shared)) {
    for (std::size_t n = 0; n != shared_->port->rx_rings().size(); ++n) {
      rx_.push_back(BasicAsyncRxRing<Executor>(shared_, n));
    }
    for (std::size_t n = 0; n != shared_->port->tx_rings().size(); ++n) {
      tx_.push_back(BasicAsyncTxRing<Executor>(shared_, n));
    }
  }

  std::shared_ptr<Shared<Executor>> shared_;
  std::vector<BasicAsyncRxRing<Executor>> rx_;
  std::vector<BasicAsyncTxRing<Executor>> tx_;
};

/// On any executor.
using AsyncPort = BasicAsyncPort<>;
/// On any executor.
using AsyncRxRing = BasicAsyncRxRing<>;
/// On any executor.
using AsyncTxRing = BasicAsyncTxRing<>;
/// On any executor.
using Batch = BasicBatch<>;

}  // namespace netmap::inline NETMAP_ASIO_NAMESPACE
