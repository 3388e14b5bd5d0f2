// SPDX-License-Identifier: BSD-2-Clause
#include "device/xdp/nic.hpp"

#include "device/xdp/program.hpp"
#include "device/xdp/rx_queue.hpp"
#include "device/xdp/tx_queue.hpp"
#include "os/files.hpp"
#include "os/poll_set.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include <poll.h>

namespace netmap::xdp {
namespace {

/// A socket that is bound to its queue.
struct BoundSocket {
  os::XdpSocket socket;
  bool has_fragments;
};

/// By queue.
using Sockets = std::map<std::uint32_t, BoundSocket>;

class XdpNic final : public Nic {
 public:
  XdpNic(const Wish& wish, Sockets sockets, std::shared_ptr<Program> program, os::PollSet rx_events,
         os::PollSet tx_events)
      : frames_(wish.frames),
        sockets_(std::move(sockets)),
        program_(std::move(program)),
        rx_events_(std::move(rx_events)),
        tx_events_(std::move(tx_events)) {}

  Result<> start(const Layout& layout) override;

  SyncStatus sync_tx() noexcept override { return sync(tx_); }
  SyncStatus sync_rx() noexcept override { return sync(rx_); }
  [[nodiscard]] detail::Ledger* ledger(Direction direction, std::size_t n) noexcept override {
    if (direction == Direction::tx) return n < tx_.size() ? &tx_[n].ledger() : nullptr;
    return n < rx_.size() ? &rx_[n].ledger() : nullptr;
  }
  [[nodiscard]] WaitHandle wait_handle(Direction direction) const noexcept override {
    const auto& events = direction == Direction::rx ? rx_events_ : tx_events_;
    return {.fd = events.fd(), .events = POLLIN};
  }
  void disarm(Directions directions) noexcept override {
    if (directions.has(Direction::tx)) tx_events_.clear();
  }
  [[nodiscard]] const Attachment& attachment() const noexcept override {
    return program_->attachment();
  }

 private:
  template <class Queues>
  static SyncStatus sync(Queues& queues) noexcept {
    SyncStatus all;
    for (auto& queue : queues) {
      const SyncStatus done = queue.sync();
      if (all.is_ok()) all = done;
    }
    return all;
  }

  Frames frames_;
  Sockets sockets_;
  std::shared_ptr<Program> program_;
  os::PollSet rx_events_;
  os::PollSet tx_events_;
  std::vector<TxQueue> tx_;
  std::vector<RxQueue> rx_;
};

Result<> XdpNic::start(const Layout& layout) {
  os::Outcome<> watched;
  for (const RingPlace& at : layout.tx) {
    const auto& [socket, has_fragments] = sockets_.at(at.index);
    tx_.emplace_back(at, frames_, socket, has_fragments);
    if (watched) watched = tx_events_.watch_room(socket.fd());
  }
  for (const RingPlace& at : layout.rx) {
    const auto& socket = sockets_.at(at.index).socket;
    rx_.emplace_back(at, frames_, socket);
    if (watched) watched = rx_events_.watch_readable(socket.fd());
    if (auto led = program_->lead(at.index, socket); !led) return led;
  }
  if (watched) return {};
  return std::unexpected(Error(
      watched.error(), "cannot wait on the interface's queues: " + watched.error().message()));
}

// ---- Binding -----------------------------------------------------------------------------------

Error cannot_make_socket(const Wish& wish, std::error_code why) {
  std::string sentence =
      "cannot make an AF_XDP socket for '" + wish.name + "': " + why.message() + "; ";
  if (why == std::errc::operation_not_permitted) {
    sentence += "that needs CAP_NET_RAW, or root; without rights use pipes, or the kernel device";
  } else if (why == std::errc::address_family_not_supported) {
    sentence += "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS); use the kernel device";
  } else if (why == std::errc::no_buffer_space || why == std::errc::not_enough_memory) {
    sentence += "it pins " + std::to_string(wish.frames.memory.size() / 1024) +
                " KiB of the region: raise the limit of locked memory ('ulimit -l'), or give the "
                "program CAP_IPC_LOCK";
  } else {
    sentence += "the region must lie on tmpfs or hugetlbfs, and the kernel be 5.4 or later";
  }
  return {why, std::move(sentence)};
}

Error cannot_bind(const Wish& wish, std::uint32_t queue, std::error_code why) {
  std::string sentence =
      "cannot take queue " + std::to_string(queue) + " of '" + wish.name + "': " + why.message();
  if (why == std::errc::device_or_resource_busy) {
    sentence += "; another AF_XDP socket has it; end the program that does";
  }
  return {why, std::move(sentence)};
}

/// A socket that was closed holds its queue until the kernel has got round to it.
os::Outcome<bool> bind_patiently(const os::XdpSocket& socket, std::uint32_t interface,
                                 std::uint32_t queue) {
  using Clock = std::chrono::steady_clock;
  constexpr auto pause = std::chrono::milliseconds(5);
  const auto end = Clock::now() + std::chrono::seconds(2);
  auto bound = socket.bind(interface, queue);
  while (!bound && bound.error() == std::errc::device_or_resource_busy && Clock::now() < end) {
    os::pause(pause);
    bound = socket.bind(interface, queue);
  }
  return bound;
}

std::uint32_t entries(const Wish::Queues& queues, std::uint32_t queue) {
  return queues.has(queue) ? std::bit_ceil(queues.slots) : 0;
}

Result<BoundSocket> bind_socket(const Wish& wish, std::uint32_t queue) {
  auto socket = os::XdpSocket::make({.memory = wish.frames.memory,
                                     .chunk_bytes = wish.frames.bytes + os::xdp::headroom,
                                     .rx_entries = entries(wish.rx, queue),
                                     .tx_entries = entries(wish.tx, queue)});
  if (!socket) return std::unexpected(cannot_make_socket(wish, socket.error()));
  const auto bound = bind_patiently(*socket, wish.interface.index, queue);
  if (!bound) return std::unexpected(cannot_bind(wish, queue, bound.error()));
  return BoundSocket{std::move(*socket), *bound};
}

}  // namespace

Result<os::Interface> find_interface(const std::string& name) {
  auto found = os::look_at_interface(name);
  if (found) return *found;
  if (found.error() == std::errc::no_such_device) {
    return std::unexpected(
        Error(std::error_code(ENXIO, std::system_category()),
              "there is no interface '" + name + "' here ('ip link' lists them)"));
  }
  return std::unexpected(Error(
      found.error(), "cannot look at the interface '" + name + "': " + found.error().message()));
}

Result<std::unique_ptr<Nic>> bind(const Wish& wish) {
  Sockets sockets;
  const auto end = std::max(wish.tx.first + wish.tx.count, wish.rx.first + wish.rx.count);
  for (std::uint32_t queue = 0; queue != end; ++queue) {
    if (!wish.tx.has(queue) && !wish.rx.has(queue)) continue;
    auto socket = bind_socket(wish, queue);
    if (!socket) return std::unexpected(socket.error());
    sockets.emplace(queue, std::move(*socket));
  }
  auto program = Program::on(wish.interface, wish.name, wish.mode, wish.others);
  if (!program) return std::unexpected(program.error());
  auto rx_events = os::PollSet::make();
  auto tx_events = os::PollSet::make();
  if (!rx_events || !tx_events) {
    const std::error_code why = rx_events ? tx_events.error() : rx_events.error();
    return std::unexpected(Error(why, "cannot wait on '" + wish.name + "': " + why.message()));
  }
  return std::make_unique<XdpNic>(wish, std::move(sockets), std::move(*program),
                                  std::move(*rx_events), std::move(*tx_events));
}

}  // namespace netmap::xdp
