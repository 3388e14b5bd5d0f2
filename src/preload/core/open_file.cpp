// SPDX-License-Identifier: BSD-2-Clause
#include "preload/core/open_file.hpp"

#include <algorithm>

namespace netmap::preload {
namespace {

constexpr short input = POLLIN | POLLRDNORM;
constexpr short output = POLLOUT | POLLWRNORM;

/// netmap(4): poll and select tell of slots beyond cur.
bool is_ready(const RingPlace& at) noexcept {
  return detail::load(at.ring->cur) != detail::load(at.ring->tail);
}

}  // namespace

std::mutex& OpenFile::control_mutex() noexcept {
  static std::mutex mutex;
  return mutex;
}

OpenFile::~OpenFile() {
  const std::scoped_lock only(control_mutex());
  device_.reset();
}

Result<std::shared_ptr<OpenFile>> OpenFile::of(os::File life) {
  std::shared_ptr<OpenFile> file;  // which, if it comes to nothing, goes without the lock
  const std::scoped_lock only(control_mutex());
  auto device = embedded::Endpoint::of(std::move(life));
  if (!device) return std::unexpected(device.error());
  const std::uint64_t offset = (*device)->interface_offset();
  file = std::make_shared<OpenFile>(std::move(*device));
  if (auto found = file->find_rings(offset); !found) return std::unexpected(found.error());
  return file;
}

Result<> OpenFile::find_rings(std::uint64_t offset) {
  const auto region = device_->map();
  if (!region) return std::unexpected(region.error());
  auto rings = netmap::find_rings((*region)->bytes(), offset);
  if (!rings) return std::unexpected(rings.error());
  rings_ = std::move(*rings);
  is_registered_ = true;
  return {};
}

Result<> OpenFile::control(abi::nmreq_header& request) {
  // these two come while a sync loop runs, and are its own
  if (request.nr_reqtype == abi::request::sync_kloop_start ||
      request.nr_reqtype == abi::request::sync_kloop_stop) {
    return device_->control(request);
  }
  const std::scoped_lock only(control_mutex(), mutex_);
  const bool registers = request.nr_reqtype == abi::request::port_register && !is_registered_;
  return registers ? register_port(request) : device_->control(request);
}

Result<> OpenFile::register_port(abi::nmreq_header& request) {
  if (auto done = device_->control(request); !done) return done;
  const auto& answer =
      *reinterpret_cast<const abi::nmreq_register*>(static_cast<std::uintptr_t>(request.nr_body));
  device_->share();
  flushes_ = (answer.nr_flags & abi::register_flags::no_tx_poll) == 0;
  return find_rings(answer.nr_offset);
}

std::error_code OpenFile::sync(Direction direction) noexcept {
  const std::scoped_lock only(mutex_);
  const auto done = (direction == Direction::tx ? device_->sync_tx() : device_->sync_rx()).code();
  const bool is_told =
      done == std::errc::no_such_device_or_address || done == std::errc::device_or_resource_busy;
  return is_told ? done : std::error_code();
}

Result<std::shared_ptr<Region>> OpenFile::region() {
  const std::scoped_lock only(control_mutex(), mutex_);
  return device_->map();
}

short OpenFile::ready(short events) const noexcept {
  int found = 0;
  if (std::ranges::any_of(rings_.tx, is_ready)) found |= events & output;
  if (std::ranges::any_of(rings_.rx, is_ready)) found |= events & input;
  return static_cast<short>(found);
}

short OpenFile::look(short events, short& known) noexcept {
  const std::scoped_lock only(mutex_);
  if (!is_registered_) return POLLERR;
  if (known != 0) known = static_cast<short>(known & ready(events));
  const Directions wanted = directions_of(events);
  SyncStatus sent;
  SyncStatus received;
  if (!rings_.tx.empty() && (flushes_ || wanted.has(Direction::tx))) sent = device_->sync_tx();
  if (wanted.has(Direction::rx)) received = device_->sync_rx();
  return sent.is_ok() && received.is_ok() ? ready(events) : static_cast<short>(POLLERR);
}

Directions OpenFile::arm(short events, std::vector<pollfd>& waits) {
  const std::scoped_lock only(mutex_);
  const Directions wanted = directions_of(events);
  for (const Direction direction : {Direction::rx, Direction::tx}) {
    if (!wanted.has(direction)) continue;
    const WaitHandle handle = device_->wait_handle(direction);
    waits.push_back({handle.fd, handle.events, 0});
    if (handle.news >= 0) waits.push_back({handle.news, POLLIN, 0});
    ++sleepers(direction);
  }
  if (!wanted.empty()) device_->arm(wanted);
  return wanted;
}

/// The last thread that wakes uses up the wake-up: it was for all.
void OpenFile::disarm(Directions armed) noexcept {
  const std::scoped_lock only(mutex_);
  for (const Direction direction : {Direction::rx, Direction::tx}) {
    if (armed.has(direction) && --sleepers(direction) == 0) device_->disarm(direction);
  }
  if (armed.empty() || sleepers_ != std::array{0, 0}) return;
  if (const int news = device_->wait_handle(Direction::rx).news; news >= 0) os::hush(news);
}

/// Of a direction in which it has no rings nothing ever comes.
Directions OpenFile::directions_of(short events) const noexcept {
  Directions wanted;
  if ((events & input) != 0 && !rings_.rx.empty()) wanted |= Direction::rx;
  if ((events & output) != 0 && !rings_.tx.empty()) wanted |= Direction::tx;
  return wanted;
}

}  // namespace netmap::preload
