// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/port.hpp>

#include "device/device.hpp"
#include "port/deadline.hpp"
#include "port/layout.hpp"

#include <netmap/wait_any.hpp>

#include <algorithm>
#include <utility>

namespace netmap {
namespace {

using std::chrono::nanoseconds;

/// What the ring's last user had seen, this one has not.
void forget_seen(abi::netmap_ring& rx) noexcept {
  detail::store(rx.cur, detail::load(rx.head));
}

std::unexpected<Error> no_such_ring(std::size_t asked, std::size_t have, const char* direction) {
  return std::unexpected(
      Error(errc::no_such_ring, std::string(direction) + " ring " + std::to_string(asked) +
                                    " was asked for, but the port has " + std::to_string(have)));
}

}  // namespace

Port::Port() noexcept = default;
Port::Port(Port&&) noexcept = default;

Port& Port::operator=(Port&& other) noexcept {
  if (this == &other) return *this;
  std::destroy_at(this);
  return *std::construct_at(this, std::move(other));
}

Port::~Port() {
  close();
}

void Port::close() noexcept {
  if (pool_) interface_->ni_bufs_head = pool_->close();
  rx_ = {};
  tx_ = {};
  device_.reset();
  pool_.reset();
  region_.reset();
}

Result<Port> Port::assemble(std::unique_ptr<Device> device, PortInfo info,
                            const abi::nmreq_register& registered) {
  Port port;
  port.device_ = std::move(device);
  port.info_ = std::move(info);
  auto region = port.device_->map();
  if (!region) return std::unexpected(region.error());
  port.region_ = std::move(*region);
  const auto& offset = port.info_.offset;
  auto layout =
      find_rings(port.region_->bytes(), registered.nr_offset, offset ? offset->max : UINT64_MAX);
  if (!layout) return std::unexpected(layout.error());
  const bool is_exclusive = (registered.nr_flags & abi::register_flags::exclusive) != 0;
  port.rx_ = detail::Row<RxRing>(layout->rx.size());
  for (const RingPlace& at : layout->rx) {
    auto& ledger = port.device_->ledger(Direction::rx, port.rx_.size());
    port.rx_.add(
        [&] { return RxRing(at.ring, at.bounds, ledger, at.index, at.is_host, is_exclusive); });
    if (is_exclusive) forget_seen(*at.ring);
  }
  port.tx_ = detail::Row<TxRing>(layout->tx.size());
  for (const RingPlace& at : layout->tx) {
    auto& ledger = port.device_->ledger(Direction::tx, port.tx_.size());
    port.tx_.add(
        [&] { return TxRing(at.ring, at.bounds, ledger, at.index, at.is_host, is_exclusive); });
  }
  port.interface_ = layout->interface;
  const auto& any = layout->rx.empty() ? layout->tx : layout->rx;
  if (!any.empty()) {
    port.pool_ = std::make_shared<detail::BufferPool>(
        any.front().bounds.buffers, layout->interface->ni_bufs_head, offset ? offset->initial : 0);
    port.device_->lend(*port.pool_);
  }
  return port;
}

Result<std::reference_wrapper<RxRing>> Port::rx(std::size_t n) & {
  if (n >= rx_.size()) return no_such_ring(n, rx_.size(), "rx");
  return rx_[n];
}

Result<std::reference_wrapper<TxRing>> Port::tx(std::size_t n) & {
  if (n >= tx_.size()) return no_such_ring(n, tx_.size(), "tx");
  return tx_[n];
}

Result<> Port::sync_failed(Direction direction, std::error_code why) const {
  const std::string rings = direction == Direction::tx ? "tx rings" : "rx rings";
  const std::string more = device_->reason(why);
  return std::unexpected(Error(why, "cannot sync the " + rings + " of '" + info_.name +
                                        "': " + why.message() + (more.empty() ? "" : ": " + more)));
}

Result<> Port::sync(Directions directions) {
  if (directions.has(Direction::tx)) {
    if (auto synced = sync_tx(); !synced) return synced;
  }
  if (directions.has(Direction::rx)) {
    if (auto synced = sync_rx(); !synced) return synced;
  }
  return {};
}

Directions Port::ready(Directions wanted) const noexcept {
  Directions found;
  const auto is_ready = [](const auto& ring) { return ring.is_ready(); };
  if (wanted.has(Direction::rx) && std::ranges::any_of(rx_, is_ready)) found |= Direction::rx;
  if (wanted.has(Direction::tx) && std::ranges::any_of(tx_, is_ready)) found |= Direction::tx;
  return found;
}

Result<Directions> Port::look(Directions wanted) {
  if (auto synced = sync(wanted); !synced) return std::unexpected(synced.error());
  return ready(wanted);
}

Result<Directions> Port::wait(Directions wanted, nanoseconds timeout) {
  if (spin_ > nanoseconds(0)) {
    const Deadline deadline(timeout);
    const auto found = look_again(wanted, std::min(spin_, deadline.left()));
    if (!found || !found->empty()) return found;
    timeout = deadline.left();
  }
  const Wanted one{this, wanted};
  if (const auto waited = wait_any({&one, 1}, timeout); !waited) {
    return std::unexpected(waited.error());
  }
  return ready(wanted);
}

Result<Directions> Port::look_again(Directions wanted, nanoseconds timeout) {
  const Deadline deadline(timeout);
  auto found = look(wanted);
  while (found && found->empty() && !deadline.has_passed()) found = look(wanted);
  return found;
}

WaitHandle Port::wait_handle(Direction direction) const {
  return device_->wait_handle(direction);
}

void Port::count_poll(Directions directions) noexcept {
  ++counts_.polls;
  if (!poll_syncs(directions)) return;
  if (directions.has(Direction::rx)) ++counts_.rx_syncs;
  if (directions.has(Direction::tx)) ++counts_.tx_syncs;
}

Result<bool> Port::arm(Directions directions) {
  if (directions.has(Direction::tx)) {
    for (TxRing& ring : tx_) ring.park();
  }
  device_->arm(directions);
  if (poll_syncs(directions)) return true;
  const auto found = look(directions);
  if (found && found->empty()) return true;
  disarm(directions);
  if (!found) return std::unexpected(found.error());
  return false;
}

void Port::disarm(Directions directions) {
  device_->disarm(directions);
}

Result<std::size_t> Port::drain(nanoseconds timeout) {
  const Deadline deadline(timeout);
  auto synced = sync_tx();
  while (synced && pending() != 0 && !deadline.has_passed()) {
    for (TxRing& ring : tx_) {
      ring.ledger_->wanted = ring.num_slots() - (ring.pending() != 0 ? 1 : 0);
    }
    if (auto waited = wait(Direction::tx, deadline.left()); !waited) {
      synced = std::unexpected(waited.error());
    }
  }
  for (TxRing& ring : tx_) {
    ring.ledger_->wanted = 1;
    ring.park();
  }
  if (!synced) return std::unexpected(synced.error());
  return pending();
}

Result<> Port::set_forwarding(bool on) {
  const std::string cannot = "'" + info_.name + "' cannot forward between card and host: ";
  if (const auto can = device_->can_forward(); !can) {
    return std::unexpected(Error(can.error().code(), cannot + can.error().message()));
  }
  const auto is_nic = [](const Ring& ring) { return !ring.is_host(); };
  const auto is_host = [](const Ring& ring) { return ring.is_host(); };
  const bool has_nic = std::ranges::count_if(rx_, is_nic) == info_.conf.rx_rings &&
                       std::ranges::count_if(tx_, is_nic) == info_.conf.tx_rings;
  const bool has_host = std::ranges::any_of(rx_, is_host) && std::ranges::any_of(tx_, is_host);
  if (!has_nic || !has_host) {
    return std::unexpected(
        Error(errc::not_supported,
              cannot + "that needs all rings of both, as 'netmap:NAME*' opens them"));
  }
  for (RxRing& ring : rx_) ring.set_forwarding(on);
  return {};
}

std::size_t Port::pending() const noexcept {
  std::size_t sum = 0;
  for (const TxRing& ring : tx_) sum += ring.pending();
  return sum;
}

Result<Buffer> Port::take_buffer() {
  if (extra_buffers() == 0) {
    return std::unexpected(Error(errc::ring_empty, "'" + info_.name +
                                                       "' has no extra buffer left; ask for more "
                                                       "with PortOptions::extra_buffers"));
  }
  return Buffer(pool_);
}

std::size_t Port::extra_buffers() const noexcept {
  return pool_ ? pool_->available() : 0;
}

PortStats Port::stats() const noexcept {
  PortStats sum = counts_;
  sum.faults = device_->fault_counts();
  sum.xdp = device_->xdp_counts();
  sum.dropped = device_->dropped();
  const auto add = [](RingStats& to, RingStats ring) {
    to.packets += ring.packets;
    to.bytes += ring.bytes;
  };
  for (const TxRing& ring : tx_) add(sum.tx, ring.stats());
  for (const RxRing& ring : rx_) add(sum.rx, ring.stats());
  return sum;
}

}  // namespace netmap
