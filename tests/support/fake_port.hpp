// SPDX-License-Identifier: BSD-2-Clause
//
// A port over ordinary memory, and the other side of its rings. The region is laid out as netmap
// lays it out, between two pages that nobody may touch; with the address sanitizer, what lies
// between the objects is out of bounds too. Nothing moves but when the test moves it.
#pragma once

#include <netmap/netmap.hpp>

#include "device/device.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define NETMAP_TEST_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NETMAP_TEST_POISONS 1
#endif
#endif
#if defined(NETMAP_TEST_POISONS)
#include <sanitizer/asan_interface.h>
#endif

namespace netmap::test {

using Bytes = std::vector<std::byte>;

/// What a fake port is made of: one ring each way.
struct Shape {
  std::uint32_t rx_slots = 8;
  std::uint32_t tx_slots = 8;
  std::uint32_t rx_start = 0;  ///< where head is at first
  std::uint32_t tx_start = 0;
  std::uint32_t buffer_size = 256;
  std::uint32_t extra_buffers = 0;
};

/// Where everything is in the region, in bytes from its beginning.
struct Plan {
  static constexpr std::size_t page = 4096;
  static constexpr std::size_t gap = 128;  ///< behind each ring

  explicit Plan(const Shape& shape)
      : tx_ring(512),
        rx_ring(end_of_ring(tx_ring, shape.tx_slots) + gap),
        buffer_count(abi::buffer_index::first_usable + shape.tx_slots + shape.rx_slots +
                     shape.extra_buffers) {
    const std::size_t rings = end_of_ring(rx_ring, shape.rx_slots) + gap;
    const std::size_t buffer_bytes = std::size_t{buffer_count} * shape.buffer_size;
    bytes = (rings + buffer_bytes + page - 1) / page * page;
    buffers = bytes - buffer_bytes;  // the last one ends at the guard page
  }

  static std::size_t end_of_ring(std::size_t ring, std::uint32_t slots) {
    const std::size_t end = ring + sizeof(abi::netmap_ring) + slots * sizeof(abi::netmap_slot);
    return (end + abi::cache_align - 1) / abi::cache_align * abi::cache_align;
  }

  std::size_t tx_ring;
  std::size_t rx_ring;
  std::uint32_t buffer_count;
  std::size_t buffers;
  std::size_t bytes;
};

/// Ordinary memory between two guard pages.
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t bytes) {
    void* all = ::mmap(nullptr, bytes + 2 * Plan::page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) throw std::bad_alloc();
    auto* base = static_cast<std::byte*>(all);
    before_ = guard(base);
    behind_ = guard(base + Plan::page + bytes);
    region_ =
        std::make_shared<Region>(os::Mapping(std::span(base + Plan::page, bytes)), os::File());
  }
  [[nodiscard]] const std::shared_ptr<Region>& region() const { return region_; }

 private:
  static os::Mapping guard(std::byte* at) {
    ::mprotect(at, Plan::page, PROT_NONE);
    return os::Mapping(std::span(at, Plan::page));
  }

  os::Mapping before_;
  os::Mapping behind_;
  std::shared_ptr<Region> region_;
};

/// What a fake port shares with its device, which outlives neither.
struct Hooks {
  std::function<void()> tx_sync = [] {};
  std::function<void()> rx_sync = [] {};
  SyncStatus status;        ///< how every sync goes
  WaitHandle handle;        ///< what to poll
  bool poll_syncs = false;  ///< whether polling the handle is a sync
  int armed = 0;            ///< how often more arm() was called than disarm()
  std::function<void()> arm = [] {};
  std::vector<std::uint32_t> freed;  ///< the extra buffers given back at the close
};

/// The device of a fake port: does nothing but what the hooks do.
class FakeDevice final : public Device {
 public:
  /// `memory` is large enough, and holds nothing that anybody needs.
  FakeDevice(const Shape& shape, std::shared_ptr<Hooks> hooks, const GuardedMemory& memory)
      : plan_(shape),
        buffer_size_(shape.buffer_size),
        region_(memory.region()),
        hooks_(std::move(hooks)) {
    std::ranges::fill(region_->bytes(), std::byte{0});
    interface()->ni_tx_rings = interface()->ni_rx_rings = 1;
    auto* offsets = abi::ring_offsets_of(*interface());
    offsets[0] = static_cast<std::int64_t>(plan_.tx_ring);
    offsets[1] = static_cast<std::int64_t>(plan_.rx_ring);
    std::uint32_t next = abi::buffer_index::first_usable;
    next = make_ring(plan_.tx_ring, shape.tx_slots, shape, next);
    next = make_ring(plan_.rx_ring, shape.rx_slots, shape, next);
    auto& tx = *tx_ring();
    tx.head = tx.cur = shape.tx_start;
    tx.tail = (shape.tx_start == 0 ? shape.tx_slots : shape.tx_start) - 1;
    auto& rx = *rx_ring();
    rx.head = rx.cur = rx.tail = shape.rx_start;
    interface()->ni_bufs_head = shape.extra_buffers == 0 ? 0 : next;
    for (; next + 1 < plan_.buffer_count; ++next) link(next, next + 1);
    poison();
  }
  ~FakeDevice() override {
    unpoison();
    std::uint32_t index = interface()->ni_bufs_head;
    while (index != 0 && hooks_->freed.size() < plan_.buffer_count) {
      hooks_->freed.push_back(index);
      std::memcpy(&index, buffer(index), sizeof index);
    }
  }

  [[nodiscard]] abi::netmap_if* interface() { return at<abi::netmap_if>(0); }
  [[nodiscard]] abi::netmap_ring* tx_ring() { return at<abi::netmap_ring>(plan_.tx_ring); }
  [[nodiscard]] abi::netmap_ring* rx_ring() { return at<abi::netmap_ring>(plan_.rx_ring); }
  [[nodiscard]] std::span<const std::byte> buffers() {
    return {buffer(0), plan_.bytes - plan_.buffers};
  }
  /// Makes `to` the extra buffer that follows `from`.
  void link(std::uint32_t from, std::uint32_t to) { std::memcpy(buffer(from), &to, sizeof to); }

  Result<> control(abi::nmreq_header&) override { return detail::refuse(errc::not_supported); }
  Result<std::vector<OpenPort>> open_ports() override { return std::vector<OpenPort>(); }
  Result<std::shared_ptr<Region>> map() override { return region_; }
  SyncStatus sync_tx() noexcept override {
    hooks_->tx_sync();
    return hooks_->status;
  }
  SyncStatus sync_rx() noexcept override {
    hooks_->rx_sync();
    return hooks_->status;
  }
  detail::Ledger& ledger(Direction direction, std::size_t) noexcept override {
    return direction == Direction::tx ? tx_ledger_ : rx_ledger_;
  }
  WaitHandle wait_handle(Direction) const noexcept override { return hooks_->handle; }
  bool poll_syncs(Directions) const noexcept override { return hooks_->poll_syncs; }
  void arm(Directions) noexcept override {
    ++hooks_->armed;
    hooks_->arm();
  }
  void disarm(Directions) noexcept override { --hooks_->armed; }

 private:
  template <class T>
  T* at(std::size_t offset) {
    return reinterpret_cast<T*>(region_->bytes().data() + offset);
  }
  std::byte* buffer(std::uint32_t index) {
    return at<std::byte>(plan_.buffers) + std::size_t{index} * buffer_size_;
  }

  std::uint32_t make_ring(std::size_t offset, std::uint32_t slots, const Shape& shape,
                          std::uint32_t first_buffer) {
    auto& ring = *at<abi::netmap_ring>(offset);
    ring.buf_ofs = static_cast<std::int64_t>(plan_.buffers - offset);
    ring.num_slots = slots;
    ring.nr_buf_size = shape.buffer_size;
    for (std::uint32_t i = 0; i != slots; ++i) abi::slots_of(ring)[i].buf_idx = first_buffer++;
    return first_buffer;
  }

  void poison() {
#if defined(NETMAP_TEST_POISONS)
    const auto close = [this](std::size_t from, std::size_t to) {
      ASAN_POISON_MEMORY_REGION(at<std::byte>(from), to - from);
    };
    const auto slots_end = [this](std::size_t offset) {
      auto& ring = *at<abi::netmap_ring>(offset);
      return offset + sizeof ring + ring.num_slots * sizeof(abi::netmap_slot);
    };
    close(slots_end(plan_.tx_ring), plan_.rx_ring);
    const auto netmaps_own = buffer(abi::buffer_index::first_usable) - at<std::byte>(0);
    close(slots_end(plan_.rx_ring), static_cast<std::size_t>(netmaps_own));
#endif
  }
  void unpoison() {
#if defined(NETMAP_TEST_POISONS)
    ASAN_UNPOISON_MEMORY_REGION(at<std::byte>(0), plan_.bytes);
#endif
  }

  Plan plan_;
  std::uint32_t buffer_size_;  // as the ring says it until somebody breaks the ring
  std::shared_ptr<Region> region_;
  std::shared_ptr<Hooks> hooks_;
  detail::Ledger tx_ledger_;
  detail::Ledger rx_ledger_;
};

/// One ring as the other side sees it.
class OtherSide {
 public:
  explicit OtherSide(abi::netmap_ring* ring) : ring_(ring) {}

  [[nodiscard]] abi::netmap_ring& ring() const { return *ring_; }
  [[nodiscard]] std::uint32_t num_slots() const { return ring_->num_slots; }
  [[nodiscard]] abi::netmap_slot& slot(std::uint32_t index) const {
    return abi::slots_of(*ring_)[index];
  }
  [[nodiscard]] std::byte* buffer(std::uint32_t index) const {
    return reinterpret_cast<std::byte*>(ring_) + ring_->buf_ofs +
           std::size_t{index} * ring_->nr_buf_size;
  }
  [[nodiscard]] std::uint32_t after(std::uint32_t slot, std::uint32_t by = 1) const {
    return (slot + by) % num_slots();
  }
  [[nodiscard]] std::uint32_t distance(std::uint32_t from, std::uint32_t to) const {
    return (to + num_slots() - from) % num_slots();
  }
  [[nodiscard]] std::uint32_t owned_by_user() const { return distance(ring_->head, ring_->tail); }

 protected:
  abi::netmap_ring* ring_;
};

/// Fills a receive ring.
class Arrivals : public OtherSide {
 public:
  using OtherSide::OtherSide;

  [[nodiscard]] std::uint32_t room() const { return num_slots() - 1 - owned_by_user(); }

  /// One slot arrives. Precondition: room() > 0.
  void slot_arrives(std::span<const std::byte> bytes, std::uint16_t flags = 0) {
    auto& to = slot(ring_->tail);
    if (!bytes.empty()) std::memcpy(buffer(to.buf_idx), bytes.data(), bytes.size());
    to.len = static_cast<std::uint16_t>(bytes.size());
    to.flags = flags;
    ring_->tail = after(ring_->tail);
  }

  /// A packet arrives, in as many fragments as are given. Precondition: there is room.
  void arrives(const std::vector<Bytes>& fragments) {
    for (const Bytes& fragment : fragments) {
      const bool is_last = &fragment == &fragments.back();
      slot_arrives(fragment, is_last ? std::uint16_t{0} : abi::slot_flags::more_fragments);
    }
  }
};

/// Empties a transmit ring.
class Departures : public OtherSide {
 public:
  explicit Departures(abi::netmap_ring* ring) : OtherSide(ring), taken_(ring->head) {}

  struct Sent {
    Bytes bytes;
    std::uint16_t flags;
  };

  /// Slots committed and not taken.
  [[nodiscard]] std::uint32_t waiting() const { return distance(taken_, ring_->head); }

  /// Takes the oldest slot; the user has it back at once. Precondition: waiting() > 0.
  Sent take() {
    const auto& from = slot(taken_);
    const std::byte* bytes = buffer(from.buf_idx);
    ring_->tail = taken_;
    taken_ = after(taken_);
    return {Bytes(bytes, bytes + from.len), from.flags};
  }

 private:
  std::uint32_t taken_;
};

/// An open port with the other side of both its rings.
class FakePort {
 public:
  using Prepare = std::function<void(FakeDevice&)>;

  /// `prepare` changes the memory before the library sees it.
  explicit FakePort(
      const Shape& shape = {}, const Prepare& prepare = [](FakeDevice&) {},
      bool is_exclusive = false)
      : FakePort(shape, std::make_shared<GuardedMemory>(Plan(shape).bytes), prepare, is_exclusive) {
  }
  /// In memory of former ports, which costs less than fresh one.
  FakePort(
      const Shape& shape, std::shared_ptr<const GuardedMemory> memory,
      const Prepare& prepare = [](FakeDevice&) {}, bool is_exclusive = false)
      : memory_(std::move(memory)),
        hooks_(std::make_shared<Hooks>()),
        device_(std::make_unique<FakeDevice>(shape, hooks_, *memory_)),
        arrivals_(device_->rx_ring()),
        departures_(device_->tx_ring()),
        buffers_(device_->buffers()) {
    prepare(*device_);
    abi::nmreq_register answer{};
    answer.nr_flags = is_exclusive ? abi::register_flags::exclusive : 0;
    port_ = Port::assemble(std::move(device_), {}, answer).value();
  }

  [[nodiscard]] Port& port() { return *port_; }
  [[nodiscard]] RxRing& rx() { return port_->rx_rings()[0]; }
  [[nodiscard]] TxRing& tx() { return port_->tx_rings()[0]; }
  [[nodiscard]] Arrivals& arrivals() { return arrivals_; }
  [[nodiscard]] Departures& departures() { return departures_; }
  [[nodiscard]] Hooks& hooks() { return *hooks_; }
  /// Where all packet bytes are.
  [[nodiscard]] std::span<const std::byte> buffers() const { return buffers_; }
  void close() { port_.reset(); }

 private:
  std::shared_ptr<const GuardedMemory> memory_;
  std::shared_ptr<Hooks> hooks_;
  std::unique_ptr<FakeDevice> device_;  // until the port owns it
  Arrivals arrivals_;
  Departures departures_;
  std::span<const std::byte> buffers_;
  std::optional<Port> port_;
};

}  // namespace netmap::test
