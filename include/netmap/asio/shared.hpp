// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/asio/side.hpp>

#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

namespace netmap::inline NETMAP_ASIO_NAMESPACE {

/// What a port, its rings and its operations share.
template <class Executor>
struct Shared : std::enable_shared_from_this<Shared<Executor>> {
  Shared(const Executor& on, Port&& opened, Alarm rx_alarm, Alarm tx_alarm)
      : executor(on),
        port(std::make_shared<Port>(std::move(opened))),
        leased(port->rx_rings().size()),
        rx(on, std::move(rx_alarm), Direction::rx),
        tx(on, std::move(tx_alarm), Direction::tx) {}

  template <Direction direction>
  [[nodiscard]] Side<Executor>& side() noexcept {
    if constexpr (direction == Direction::rx) {
      return rx;
    } else {
      return tx;
    }
  }
  template <Direction direction>
  Result<> sync() {
    if (!port) return std::unexpected(make_error_code(std::errc::operation_canceled));
    return side<direction>().quietly(
        *port, [this] { return direction == Direction::rx ? port->sync_rx() : port->sync_tx(); });
  }
  void cancel() {
    ++cancelled;
    rx.wake_all();
    tx.wake_all();
  }

  Executor executor;
  std::shared_ptr<Port> port;   ///< none once closed
  std::uint64_t cancelled = 0;  ///< how often everything was
  std::vector<bool> leased;     ///< by rx ring: whether a batch of it is out
  bool is_shut_down = false;
  Side<Executor> rx;
  Side<Executor> tx;
};

}  // namespace netmap::inline NETMAP_ASIO_NAMESPACE
