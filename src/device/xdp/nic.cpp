// SPDX-License-Identifier: BSD-2-Clause
#include "device/xdp/nic.hpp"

#include "device/xdp/program.hpp"
#include "device/xdp/rx_queue.hpp"
#include "device/xdp/tx_queue.hpp"
#include "os/files.hpp"
#include "os/poll_set.hpp"
#include "os/timer.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <poll.h>

namespace netmap::xdp {
namespace {

using Clock = std::chrono::steady_clock;

/// A socket that is bound to its queue. Ports of this process may have a direction each.
struct BoundSocket {
  os::XdpSocket socket;
  os::XdpSocket::Bound bound;
  Frames frames;
  bool polls_busily;
  /// Directions that a port has, or had: the kernel still has buffers of it. Under the mutex.
  Directions used{};
};

/// By queue.
using Sockets = std::map<std::uint32_t, std::shared_ptr<BoundSocket>>;

bool is_bound_without_copies(const Sockets::value_type& socket) {
  return socket.second->bound.is_zero_copy;
}

/// This process's, by network namespace, interface and queue.
struct OpenSockets {
  std::mutex mutex;
  std::map<std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>, std::weak_ptr<BoundSocket>>
      sockets;
};
OpenSockets& open_sockets() {
  static auto* const sockets = new OpenSockets();  // ports may be closed when all else is gone
  return *sockets;
}

/// What wakes a port.
struct Events {
  static os::Outcome<Events> make(const std::string& interface) {
    auto rx = os::PollSet::make();
    if (!rx) return std::unexpected(rx.error());
    auto tx = os::PollSet::make();
    if (!tx) return std::unexpected(tx.error());
    auto news = os::watch_deletion(interface);
    if (!news) return std::unexpected(news.error());
    return Events{std::move(*rx), std::move(*tx), std::move(*news), {}};
  }
  /// Yields to who waits for room now and then: without copies the kernel wakes nobody when it
  /// gives frames back.
  os::Outcome<> look_now_and_then() {
    auto made = os::Timer::make();
    if (!made) return std::unexpected(made.error());
    timer = std::move(*made);
    return tx.watch_readable(timer->fd());
  }

  os::PollSet rx;  ///< of several queues; a single one's socket does without, which costs less
  os::PollSet tx;
  os::File news;  ///< that the interface was deleted, of which its sockets wake nobody
  std::optional<os::Timer> timer;  ///< in tx
};

class XdpNic final : public Nic {
 public:
  XdpNic(const Claim& claim, Sockets sockets, Events events)
      : name_(claim.name),
        interface_(claim.interface),
        frames_(claim.frames),
        sockets_(std::move(sockets)),
        events_(std::move(events)) {}

  /// The sockets may stay, for the other direction.
  ~XdpNic() override {
    for (const std::uint32_t queue : rx_queues_) program_->release(queue);
  }

  Result<Attachment> attach(XdpMode mode, const Attachment& others) override;
  Result<> start(const Layout& layout) override;

  SyncStatus sync_tx() noexcept override {
    if (!arming_.is_ok()) [[unlikely]]
      return std::exchange(arming_, {});
    return sync(tx_);
  }
  SyncStatus sync_rx() noexcept override { return sync(rx_); }
  [[nodiscard]] SlotRange handed_over(Direction direction, std::size_t n) const noexcept override {
    if (direction == Direction::tx) return n < tx_.size() ? tx_[n].handed_over() : SlotRange();
    return n < rx_.size() ? rx_[n].handed_over() : SlotRange();
  }
  void serve(Direction direction, std::size_t n, abi::netmap_ring& user) noexcept override {
    if (direction == Direction::tx && n < tx_.size()) tx_[n].serve(user);
    if (direction == Direction::rx && n < rx_.size()) rx_[n].serve(user);
  }
  [[nodiscard]] detail::Ledger& ledger(Direction direction, std::size_t n) noexcept override {
    if (direction == Direction::tx) return n < tx_.size() ? tx_[n].ledger() : nothing_;
    return n < rx_.size() ? rx_[n].ledger() : nothing_;
  }
  [[nodiscard]] bool is_raw() noexcept override {
    const auto has_raw = [](auto& queue) { return queue.ledger().is_raw; };
    return std::ranges::any_of(tx_, has_raw) || std::ranges::any_of(rx_, has_raw) ||
           nothing_.is_raw;
  }
  [[nodiscard]] WaitHandle wait_handle(Direction direction) const noexcept override {
    int fd = events_.tx.fd();
    if (direction == Direction::rx) fd = rx_.size() == 1 ? rx_[0].fd() : events_.rx.fd();
    return {.fd = fd, .events = POLLIN, .news = events_.news.fd()};
  }
  void arm(Directions directions) noexcept override {
    if (!directions.has(Direction::tx)) return;
    bool wants_room = false;
    for (TxQueue& queue : tx_) {
      if (!queue.wants_room()) continue;
      wants_room = true;
      const auto watched = events_.tx.watch_room(queue.fd());
      if (!watched && arming_.is_ok()) arming_ = watched.error();
    }
    events_.tx.clear();  // what there is room for now, whoever armed looks at
    if (wants_room && events_.timer) events_.timer->start(look_interval);
  }
  void disarm(Directions directions) noexcept override {
    if (directions.has(Direction::tx)) {
      for (const TxQueue& queue : tx_) events_.tx.forget(queue.fd());
      if (events_.timer) events_.timer->stop();
    }
    if (directions.has(Direction::rx)) {
      for (RxQueue& queue : rx_) queue.look_closely();
    }
  }
  [[nodiscard]] const Attachment& attachment() const noexcept override {
    return program_->attachment();
  }
  [[nodiscard]] bool is_zero_copy() const noexcept override {
    return std::ranges::all_of(sockets_, is_bound_without_copies);
  }
  [[nodiscard]] XdpCounts counts() const noexcept override;

 private:
  /// What the driver needs for a few packets.
  static constexpr auto look_interval = std::chrono::microseconds(50);
  template <class Queues>
  static SyncStatus sync(Queues& queues) noexcept {
    SyncStatus all;
    for (auto& queue : queues) {
      const SyncStatus done = queue.sync();
      if (all.is_ok()) all = done;
    }
    return all;
  }

  std::string name_;
  os::Interface interface_;
  Frames frames_;
  Sockets sockets_;
  std::shared_ptr<Program> program_;  ///< once it is attached
  Events events_;
  SyncStatus arming_;  ///< a failure of arm(), which the next sync_tx() yields
  std::vector<TxQueue> tx_;
  std::vector<RxQueue> rx_;
  detail::Ledger nothing_;                ///< of rings that were not there when it started
  std::vector<std::uint32_t> rx_queues_;  ///< those that the program leads here
};

Result<Attachment> XdpNic::attach(XdpMode mode, const Attachment& others) {
  const bool must_be_native = std::ranges::any_of(sockets_, is_bound_without_copies);
  auto program = Program::on(interface_, name_, must_be_native ? XdpMode::native : mode, others);
  if (!program) return std::unexpected(program.error());
  if (must_be_native && (*program)->attachment().mode != XdpMode::native) {
    return std::unexpected(Error(std::error_code(EBUSY, std::system_category()),
                                 "others opened '" + name_ +
                                     "' in generic mode meanwhile, which copies packets; close it "
                                     "there, or ask for generic mode"));
  }
  program_ = std::move(*program);
  return program_->attachment();
}

Result<> XdpNic::start(const Layout& layout) {
  const auto has_socket = [this](const RingPlace& at) { return sockets_.contains(at.index); };
  if (!std::ranges::all_of(layout.tx, has_socket) || !std::ranges::all_of(layout.rx, has_socket)) {
    return std::unexpected(Error(errc::region_damaged, "the port's list of rings was changed"));
  }
  const std::scoped_lock only(open_sockets().mutex);
  for (const RingPlace& at : layout.tx) {
    BoundSocket& bound = *sockets_.at(at.index);
    bound.used |= Direction::tx;
    tx_.emplace_back(at, frames_, bound.socket, bound.bound);
  }
  os::Outcome<> watched;
  for (const RingPlace& at : layout.rx) {
    BoundSocket& bound = *sockets_.at(at.index);
    bound.used |= Direction::rx;
    rx_.emplace_back(at, frames_, bound.socket, bound.polls_busily);
    rx_queues_.push_back(at.index);
    if (watched && layout.rx.size() > 1) watched = events_.rx.watch_readable(bound.socket.fd());
    if (auto led = program_->lead(at.index, bound.socket); !led) return led;
  }
  if (watched) return {};
  return std::unexpected(Error(
      watched.error(), "cannot wait on the interface's queues: " + watched.error().message()));
}

XdpCounts XdpNic::counts() const noexcept {
  XdpCounts sum;
  for (const auto& [queue, bound] : sockets_) {
    const os::XdpSocket::Counts one = bound->socket.counts();
    sum.rx_dropped += one.rx_dropped;
    sum.rx_ring_full += one.rx_ring_full;
    sum.rx_no_buffer += one.rx_no_buffer;
    sum.rx_invalid += one.rx_invalid;
    sum.tx_invalid += one.tx_invalid;
  }
  return sum;
}

// ---- Binding -----------------------------------------------------------------------------------

Error cannot_make_socket(const Claim& claim, std::error_code why) {
  std::string sentence =
      "cannot make an AF_XDP socket for '" + claim.name + "': " + why.message() + "; ";
  if (why == std::errc::operation_not_permitted) {
    sentence += "that needs CAP_NET_RAW, or root; without rights use pipes, or the kernel device";
  } else if (why == std::errc::address_family_not_supported) {
    sentence += "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS); use the kernel device";
  } else if (why == std::errc::no_buffer_space || why == std::errc::not_enough_memory) {
    sentence += "each queue pins " + std::to_string(claim.frames.memory.size() / 1024) +
                " KiB of the region: raise the limit of locked memory ('ulimit -l'), or give the "
                "program CAP_IPC_LOCK";
  } else if (const auto remedy = remedy_for_files(why); !remedy.empty()) {
    sentence += remedy;
  } else {
    sentence += "the region must lie on tmpfs or hugetlbfs, and the kernel be 5.14 or later";
  }
  return {why, std::move(sentence)};
}

Error cannot_bind(const Claim& claim, std::uint32_t queue, std::error_code why) {
  std::string sentence =
      "cannot take queue " + std::to_string(queue) + " of '" + claim.name + "': " + why.message();
  if (why == std::errc::device_or_resource_busy) {
    sentence += "; another AF_XDP socket has it; end the program that does";
  } else if (claim.copying == os::Copying::never) {
    sentence += "; its driver has no zero-copy mode, or not as it is; ask for native mode";
  }
  return {why, std::move(sentence)};
}

/// Of packets that have one fragment at most.
Result<> check_mtu(const Claim& claim, bool is_zero_copy) {
  if (fits(claim.interface, claim.frames)) return {};
  return std::unexpected(Error(
      std::error_code(EINVAL, std::system_category()),
      "packets of '" + claim.name + "', whose MTU is " + std::to_string(claim.interface.mtu) +
          ", may be larger than the " + std::to_string(claim.frames.room()) +
          " bytes that the region's buffers have for them, and AF_XDP splits them " +
          (is_zero_copy ? "only where it copies" : "from Linux 6.6 on only") + "; lower the MTU"));
}

/// For both directions, whichever is claimed now: a socket gets its rings once.
Result<os::XdpSocket> make_socket(const Claim& claim) {
  auto socket = os::XdpSocket::make({.memory = claim.frames.memory,
                                     .chunk_bytes = claim.frames.chunk_bytes(),
                                     .more_headroom = claim.frames.more_headroom(),
                                     .is_aligned = claim.frames.is_aligned,
                                     .rx_entries = std::bit_ceil(claim.rx.slots),
                                     .tx_entries = std::bit_ceil(claim.tx.slots)});
  if (!socket) return std::unexpected(cannot_make_socket(claim, socket.error()));
  const auto polled = claim.busy_poll ? socket->poll_busily() : os::Outcome<>();
  if (polled) return std::move(*socket);
  return std::unexpected(
      Error(polled.error(), "cannot poll '" + claim.name + "' busily: " + polled.error().message() +
                                "; that needs Linux 5.11 and CAP_NET_ADMIN, so open it without"));
}

Directions wanted(const Claim& claim, std::uint32_t queue) {
  Directions directions;
  if (claim.tx.has(queue)) directions |= Direction::tx;
  if (claim.rx.has(queue)) directions |= Direction::rx;
  return directions;
}

bool overlap(Directions a, Directions b) {
  return (a.has(Direction::tx) && b.has(Direction::tx)) ||
         (a.has(Direction::rx) && b.has(Direction::rx));
}

/// The queue's socket, which another port of this process may have for the other direction, or make
/// just now: else `spare`, if the queue is free.
os::Outcome<std::shared_ptr<BoundSocket>> try_queue(const Claim& claim, std::uint32_t queue,
                                                    std::optional<os::XdpSocket>& spare) {
  const std::scoped_lock only(open_sockets().mutex);
  std::erase_if(open_sockets().sockets, [](const auto& socket) { return socket.second.expired(); });
  auto& known = open_sockets().sockets[{claim.interface.network, claim.interface.index, queue}];
  auto socket = known.lock();
  if (socket || !spare) return socket;
  const auto bound = spare->bind(claim.interface.index, queue, claim.copying);
  if (!bound) return std::unexpected(bound.error());
  socket = std::make_shared<BoundSocket>(std::move(*spare), *bound, claim.frames, claim.busy_poll);
  known = socket;
  return socket;
}

/// A socket that was closed holds its queue until the kernel has got round to it.
Result<std::shared_ptr<BoundSocket>> await_queue(const Claim& claim, std::uint32_t queue,
                                                 Clock::time_point end) {
  constexpr auto pause = std::chrono::milliseconds(5);
  std::optional<os::XdpSocket> spare;
  auto socket = try_queue(claim, queue, spare);
  if (socket && *socket) return *socket;
  auto made = make_socket(claim);
  if (!made) return std::unexpected(made.error());
  spare = std::move(*made);
  socket = try_queue(claim, queue, spare);
  while (!socket && socket.error() == std::errc::device_or_resource_busy && Clock::now() < end) {
    os::pause(pause);
    socket = try_queue(claim, queue, spare);
  }
  if (!socket) return std::unexpected(cannot_bind(claim, queue, socket.error()));
  return *socket;
}

/// Whether the queue's socket, which may have been made for the other direction, does for this one.
Result<> check_socket(const Claim& claim, std::uint32_t queue, const BoundSocket& socket) {
  const auto refuse = [&](const std::string& why) {
    return std::unexpected(
        Error(std::error_code(EBUSY, std::system_category()),
              "cannot take queue " + std::to_string(queue) + " of '" + claim.name + "' " + why));
  };
  if (overlap(socket.used, wanted(claim, queue)) ||
      socket.frames.memory.data() != claim.frames.memory.data()) {
    return refuse(
        "anew while a port has its other direction, or it is another region's; close that port "
        "first");
  }
  if (claim.rx.has(queue) && (socket.frames.begin != claim.frames.begin ||
                              socket.frames.is_aligned != claim.frames.is_aligned)) {
    return refuse(
        "with these data offsets, or without any, while a port has its other direction with "
        "others; open both with the same");
  }
  if (claim.copying == os::Copying::never && !socket.bound.is_zero_copy) {
    return refuse(
        "without copies while a port has its other direction with copies; close that port first");
  }
  return {};
}

Result<std::shared_ptr<BoundSocket>> take_queue(const Claim& claim, std::uint32_t queue,
                                                Clock::time_point end) {
  const auto socket = await_queue(claim, queue, end);
  if (!socket) return socket;
  const auto& bound = (*socket)->bound;
  auto done = bound.has_fragments ? Result<>() : check_mtu(claim, bound.is_zero_copy);
  const std::scoped_lock only(open_sockets().mutex);
  if (done) done = check_socket(claim, queue, **socket);
  if (!done) return std::unexpected(done.error());
  return socket;
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
  std::string sentence = "cannot look at the interface '" + name + "': " + found.error().message();
  if (found.error() == std::errc::network_down) sentence += "; it is being reset: try again";
  return std::unexpected(Error(found.error(), std::move(sentence)));
}

bool has_interface(std::uint32_t index) {
  return os::has_interface(index);
}

bool fits(const os::Interface& interface, const Frames& frames) {
  constexpr std::uint32_t ethernet_header = 14;
  return interface.mtu + ethernet_header <= frames.room();
}

Result<std::unique_ptr<Nic>> bind(const Claim& claim) {
  const auto end = Clock::now() + release_limit;
  Sockets sockets;
  const auto queues = std::max(claim.tx.first + claim.tx.count, claim.rx.first + claim.rx.count);
  for (std::uint32_t queue = 0; queue != queues; ++queue) {
    if (wanted(claim, queue).empty()) continue;
    auto socket = take_queue(claim, queue, end);
    if (!socket) return std::unexpected(socket.error());
    sockets.emplace(queue, std::move(*socket));
  }
  auto events = Events::make(claim.name);
  if (events && std::ranges::any_of(sockets, is_bound_without_copies)) {
    if (const auto done = events->look_now_and_then(); !done) {
      events = std::unexpected(done.error());
    }
  }
  if (!events) {
    return std::unexpected(
        Error(events.error(), "cannot wait on '" + claim.name + "': " + events.error().message()));
  }
  return std::make_unique<XdpNic>(claim, std::move(sockets), std::move(*events));
}

}  // namespace netmap::xdp
