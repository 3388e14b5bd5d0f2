// SPDX-License-Identifier: BSD-2-Clause
//
// A port is a network card, a pipe end, a switch port, the host's stack or a capture file, opened
// by name. It owns its descriptor, its mapping and its rings, and gives all back when it goes. The
// same program runs on the netmap kernel module and on the embedded device, which needs neither
// module nor privilege.
//
// Packets move when the program says so: it fills or reads rings, then syncs. wait() syncs too.
// One thread at a time uses a port; for several threads open one port per ring ("netmap:eth0-3")
// or per direction ("/R", "/T"): each has a descriptor of its own.
#pragma once

#include <netmap/buffer.hpp>
#include <netmap/detail/row.hpp>
#include <netmap/device.hpp>
#include <netmap/error.hpp>
#include <netmap/faults.hpp>
#include <netmap/port_name.hpp>
#include <netmap/ring.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace netmap {

/// As a timeout: wait as long as it takes.
inline constexpr std::chrono::nanoseconds forever = std::chrono::nanoseconds::max();

/// What is behind a port; the same program runs on each.
enum class DeviceKind : std::uint8_t {
  automatic,  ///< what NETMAP_DEVICE says; else kernel if /dev/netmap exists, else embedded
  kernel,     ///< the netmap module of Linux or FreeBSD
  embedded,   ///< netmap in user space
  pcap,       ///< captures: that of the names "pcap:…", which have it whatever the options say
};
/// The name that NETMAP_DEVICE takes.
[[nodiscard]] std::string_view to_string(DeviceKind kind) noexcept;

/// Which device to open a port on, and what only that device asks.
struct DeviceOptions {
  DeviceKind kind = DeviceKind::automatic;
  /// Where embedded ports meet: a directory on tmpfs, the user's alone, or of mode
  /// 02770 and a group's that the user belongs to. Empty: what NETMAP_DOMAIN says, else the user's
  /// own under /dev/shm. Fails with domain_unusable if it is neither.
  std::string domain{};
  /// Of the embedded device's interfaces: who opens one first decides between native and generic,
  /// others have it as it is; each port for itself whether native is without copies. Fails with
  /// not_supported, or the driver's error, if packets cannot but be copied and that is not to be.
  XdpMode xdp = XdpMode::automatic;
  /// Of the embedded device's interfaces: syncs that find nothing received, or have something to
  /// send, have the driver work on the queue then and there, instead of leaving that to interrupts
  /// (Linux: Documentation/networking/napi.rst, busy polling). Pays where interrupts are put off,
  /// too, by napi_defer_hard_irqs and gro_flush_timeout of the interface. Who opens a queue first
  /// decides for both directions. Linux 5.11.
  bool busy_poll = false;
};

/// Memory of the program's own, and how it is to be divided; see PortOptions::extmem.
struct ExternalRange {
  std::span<std::byte> bytes;
  PoolConf pools{};
};

/// What the grammar of names cannot say, or need not. 0 leaves a number to the device; a number
/// that the name also gives, differently, is an error.
struct PortOptions {
  DeviceOptions device{};
  PortConf conf{};
  /// Extra buffers to ask for; a port may get fewer, see Port::extra_buffers().
  std::uint32_t extra_buffers = 0;
  /// The region to live in. Advisory for ports that have one already; Port::info() says which.
  std::uint16_t memory_id = 0;
  /// External memory: the region to live in is memory of the program's own, rings, buffers and all.
  /// Whole pages of private or shared memory that can be written, and that stay until the last port
  /// of this process that lives in them is closed. From the first open to that close the devices
  /// write there; what of it became an interface, a ring or a received packet has changed, all else
  /// is as it was. Ports that bring the same range share the region and its memory id, under which
  /// any other port may live in it, too; of overlapping ranges the second is refused.
  ///
  /// How large it has to be: if_num × if_size + ring_num × ring_size + buf_num × buf_size bytes, by
  /// default, 0, 2 × 1024 + 4 × 20480 + 4098 × 2048, and one interface more for the library. What
  /// is left becomes buffers. A port takes an interface, a pipe four rings, each slot of a ring 16
  /// bytes and, but for those of a pipe's rx rings, a buffer. The numbers count for who brings the
  /// memory first.
  ///
  /// The kernel device pins the pages, and needs a module that was built for it. No object may lie
  /// across pages that are not neighbours in physical memory, which drops most rings of more than a
  /// page unless the range is of huge pages. Who maps the same shared memory in another process,
  /// and brings it, shares the region. A process that only opens the pipe's other end does so, too;
  /// but if the memory is private, the kernel complains of its count of pages when that process
  /// ends.
  ///
  /// On the embedded device the range becomes a mapping of the domain's file, with its contents,
  /// and in the end private memory, with its contents. No other thread may touch it while either
  /// happens, and where it came from, a file or huge pages, is not behind it any more. Another
  /// process shares the region by its memory id, or as the pipe's other end, without extmem. A ring
  /// has 512 bytes more than netmap's.
  ///
  /// "NAME@extmem=FILE" does all this with a file, which the library maps: on both devices the file
  /// is the memory, wherever it is mapped, and all who name it share it.
  std::optional<ExternalRange> extmem{};
  /// Further abi::register_flags.
  std::uint64_t flags = 0;
  /// Let others open the same rings. By default a ring has one user.
  bool shared = false;
  /// Of a pipe: once the other end was open and is not any more, by its close or its process's
  /// death, fail with peer_gone instead of waiting for somebody to open it again. What it had sent
  /// is received before that. Embedded device only.
  bool ends_with_peer = false;
  /// Let packets begin at an offset in their buffers, see Slot::offset(): room for headers to be
  /// put in front. On a pipe, of its ends the one with offsets is best opened first: the other's
  /// rings then have them too. Not together with faults.
  ///
  /// On an interface of the embedded device received packets begin at the initial offset or, if the
  /// largest is 256 or more, at 256 at least; RxSlot::offset() says where. With that much, and
  /// buffers of 2048 or 4096 bytes, drivers that can do without copies do, see XdpMode. Both
  /// directions of a queue have the same offsets.
  std::optional<DataOffset> offset{};
  /// Open a null port: no interface, only a window on the region memory_id.
  bool null_port = false;
  /// What is to go wrong at this port on purpose; see faults.hpp.
  std::optional<Faults> faults{};
  /// How long wait() looks again and again before it sleeps. Costs CPU, saves wake-ups.
  std::chrono::nanoseconds spin{0};
};

/// What a port turned out to be.
struct PortInfo {
  std::string name;  ///< as the device knows it
  DeviceKind device = DeviceKind::automatic;
  std::string domain;  ///< the embedded device's directory
  std::uint16_t memory_id = 0;
  std::uint64_t memory_bytes = 0;
  PortConf conf;                       ///< rings and slots of the whole port, not only those bound
  std::optional<DataOffset> offset{};  ///< as asked for, but its max is what the device allows
  /// How the embedded device is attached to an interface; zero_copy if all the port's queues are.
  std::optional<XdpMode> xdp{};
};

/// What a port counted since it was opened, unless a number says otherwise.
struct PortStats {
  RingStats tx;
  RingStats rx;
  std::uint64_t tx_syncs = 0;
  std::uint64_t rx_syncs = 0;
  std::uint64_t polls = 0;  ///< times wait() or wait_any() slept, or would have but for an event
  FaultCounts faults;       ///< what PortOptions::faults did
  XdpCounts xdp;            ///< what the kernel could not deliver, or take
  /// Packets that senders had for these rings, and that found no room; since the rings were opened,
  /// by another port too. VALE ports and monitors of the embedded device only.
  std::uint64_t dropped = 0;
};

class SyncLoop;

/// An open port and its rings. Made by open(), open_each_ring() and adopt(). Movable; its rings
/// stay where they are. Thread: one at a time.
class NETMAP_BUILD_TAG Port {
 public:
  Port(Port&&) noexcept;
  Port& operator=(Port&&) noexcept;
  /// Gives everything back. Slots committed and synced are sent; what the other side has not taken
  /// by then may be lost on hardware, see drain().
  ~Port();

  /// The rings this port is bound to; host rings come after the NIC's. Valid while the port is,
  /// wherever it is moved.
  [[nodiscard]] std::span<RxRing> rx_rings() & noexcept NETMAP_LIFETIMEBOUND { return rx_; }
  [[nodiscard]] std::span<TxRing> tx_rings() & noexcept NETMAP_LIFETIMEBOUND { return tx_; }
  void rx_rings() && = delete;
  void tx_rings() && = delete;

  /// The n-th of rx_rings() or tx_rings(). Fails with no_such_ring.
  [[nodiscard]] Result<std::reference_wrapper<RxRing>> rx(std::size_t n = 0) & NETMAP_LIFETIMEBOUND;
  [[nodiscard]] Result<std::reference_wrapper<TxRing>> tx(std::size_t n = 0) & NETMAP_LIFETIMEBOUND;
  void rx(std::size_t n = 0) && = delete;
  void tx(std::size_t n = 0) && = delete;

  /// Sends what was committed on every tx ring of the port and learns which slots are free again.
  /// Does not block, unless the module makes it wait for an interface that is down to come up
  /// again. Fails with ring_corrupt, with interface_gone, or with what the device says.
  Result<> sync_tx() {
    ++counts_.tx_syncs;
    const SyncStatus done = device_->sync_tx();
    if (!done.is_ok()) [[unlikely]]
      return sync_failed(Direction::tx, done.code());
    return {};
  }
  /// Gives back what was released on every rx ring of the port and learns what has arrived. Does
  /// not block. Fails as sync_tx() does; and with end_of_capture once all that a capture held was
  /// released.
  Result<> sync_rx() {
    ++counts_.rx_syncs;
    const SyncStatus done = device_->sync_rx();
    if (!done.is_ok()) [[unlikely]]
      return sync_failed(Direction::rx, done.code());
    return {};
  }

  /// Waits until a ring of one of the `wanted` directions is ready (RxRing::is_ready,
  /// TxRing::is_ready), syncing those directions before and after; yields the directions that
  /// are. Waiting for rx never sends. Yields none at the timeout, or early after a signal.
  Result<Directions> wait(Directions wanted, std::chrono::nanoseconds timeout = forever);

  /// Transparent mode, for a port of NIC and host rings ("netmap:eth0*"): lets RxRing::pass() send
  /// packets on between the card and the host's stack. Those for the host leave in the sync_rx()
  /// after their release. Those from the host are put into free slots of the NIC's tx rings by that
  /// sync, which moves these rings' heads, and leave in the next sync_tx(): a program that sends,
  /// too, looks at its tx rings anew after each sync_rx(). Fails with not_supported for other
  /// ports, and for those with faults.
  Result<> set_forwarding(bool on);

  /// Syncs until everything committed was taken by the other side, at most for `timeout`; yields
  /// how many slots were not.
  Result<std::size_t> drain(std::chrono::nanoseconds timeout);

  /// The descriptor by which a foreign event loop waits. The order of calls: sync, look; arm();
  /// if it yields true, poll the handle; then disarm(), sync, look. On the kernel device polling
  /// the handle is itself a sync, so no other thread may use the port meanwhile.
  [[nodiscard]] WaitHandle wait_handle(Direction direction) const;
  /// Asks to be woken. Yields false, and asks for nothing, if a ring is ready already.
  Result<bool> arm(Directions directions);
  /// Takes back arm() and uses up the wake-up, if one came.
  void disarm(Directions directions);

  /// An extra buffer of this port. Fails with ring_empty if all are taken.
  Result<Buffer> take_buffer() NETMAP_LIFETIMEBOUND;
  /// How many extra buffers are left to take.
  [[nodiscard]] std::size_t extra_buffers() const noexcept;

  [[nodiscard]] const PortInfo& info() const noexcept { return info_; }
  [[nodiscard]] PortStats stats() const noexcept;

  /// For the library: the port that `device` was registered to, `registered` being its answer.
  /// Fails with region_damaged if the memory does not hold what was promised.
  [[nodiscard]] static Result<Port> assemble(std::unique_ptr<Device> device, PortInfo info,
                                             const abi::nmreq_register& registered);
  /// For the library: what `why`, that a sync failed with, cannot say.
  [[nodiscard]] std::string reason(std::error_code why) const { return device_->reason(why); }
  /// For the library: syncs these directions; yields those of which a ring is ready.
  Result<Directions> look(Directions wanted);
  /// For the library: those of which a ring was ready at the last sync.
  [[nodiscard]] Directions ready(Directions wanted) const noexcept;
  /// For the library: whether polling the handles is a sync, before it sleeps and after.
  [[nodiscard]] bool poll_syncs(Directions directions) const noexcept {
    return device_->poll_syncs(directions);
  }
  /// For the library: the handles of these directions were polled.
  void count_poll(Directions directions) noexcept;
  void set_spin(std::chrono::nanoseconds spin) noexcept { spin_ = spin; }
  [[nodiscard]] std::chrono::nanoseconds spin() const noexcept { return spin_; }

 private:
  friend class SyncLoop;

  Port() noexcept;

  [[gnu::cold, gnu::noinline]] Result<> sync_failed(Direction direction, std::error_code why) const;
  Result<> sync(Directions directions);
  Result<Directions> look_again(Directions wanted, std::chrono::nanoseconds timeout);
  [[nodiscard]] std::size_t pending() const noexcept;
  void close() noexcept;

  std::unique_ptr<Device> device_;
  std::shared_ptr<Region> region_;
  abi::netmap_if* interface_ = nullptr;
  detail::Row<RxRing> rx_;
  detail::Row<TxRing> tx_;
  std::shared_ptr<detail::BufferPool> pool_;
  PortInfo info_;
  PortStats counts_;
  std::chrono::nanoseconds spin_{0};
};

/// Opens a port by name, in libnetmap's grammar (see port_name.hpp): "netmap:eth0", "eth0-3/R",
/// "vale0:a", "netmap:x{1", "x}1". `base{id}` takes whichever end of the pipe is free, master
/// first. The Error says what was asked, which step failed and what to do. On the embedded device
/// open and close wait for at most 5 seconds each time the domain is locked, by a process that was
/// stopped there.
[[nodiscard]] Result<Port> open(std::string_view name, const PortOptions& options = {});

/// One port per ring of the named port, each with a descriptor of its own: one for each thread.
/// The name must not select rings itself.
[[nodiscard]] Result<std::vector<Port>> open_each_ring(std::string_view name,
                                                       const PortOptions& options = {});

/// Makes a Port of a /dev/netmap descriptor that is already registered; `name` is as in open(), and
/// `registered` is what the module answered. The Port owns `fd` from here on, also if this fails.
/// Unless it was registered with NR_NO_TX_POLL, waiting for rx sends.
[[nodiscard]] Result<Port> adopt(int fd, std::string_view name,
                                 const abi::nmreq_register& registered);

}  // namespace netmap
