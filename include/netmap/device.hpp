// SPDX-License-Identifier: BSD-2-Clause
//
// The contract between ports and devices. A Device is one open descriptor: it takes netmap's
// requests, maps the memory of the port it was registered to, syncs that port's rings, and wakes.
// The rings it shows lie in mapped memory in netmap's own layout, so nothing above this line knows
// which device it runs on. Programs use Port; this is for those who bring a device of their own.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/error.hpp>
#include <netmap/faults.hpp>
#include <netmap/slot.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace netmap {

class Region;
namespace detail {
class BufferPool;
}

/// Of a ring, and of what one waits for: from the other side, or to it.
enum class Direction : std::uint8_t { rx = 1, tx = 2 };

/// A set of directions.
class Directions {
 public:
  constexpr Directions() noexcept = default;
  constexpr Directions(Direction one) noexcept  // NOLINT: a direction is a set of one
      : bits_(static_cast<std::uint8_t>(one)) {}
  [[nodiscard]] constexpr bool has(Direction one) const noexcept {
    return (bits_ & static_cast<std::uint8_t>(one)) != 0;
  }
  [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
  constexpr Directions& operator|=(Directions other) noexcept {
    bits_ |= other.bits_;
    return *this;
  }
  friend constexpr Directions operator|(Directions a, Directions b) noexcept { return a |= b; }
  friend constexpr bool operator==(Directions, Directions) noexcept = default;

 private:
  std::uint8_t bits_ = 0;
};
/// Both.
[[nodiscard]] constexpr Directions operator|(Direction a, Direction b) noexcept {
  return Directions(a) | b;
}

/// For a foreign event loop: poll `fd` for `events` (poll(2)).
struct WaitHandle {
  int fd = -1;
  short events = 0;
  /// Whether polling is a sync, made by whoever polls; see alarm.hpp.
  bool syncs = false;
  /// If not negative, to be polled for POLLIN too, and read until empty: the interface was deleted,
  /// of which `fd` says nothing, but the next sync will.
  int news = -1;
};

/// How the embedded device takes packets from a network interface, by XDP.
enum class XdpMode : std::uint8_t {
  automatic,  ///< without copies where port and driver can, else native, else generic
  native,     ///< in the driver, before the host's stack has made anything of them; then copied
  generic,    ///< in the host's stack: of any driver; then copied
  /// As native, but the driver reads and writes the port's buffers themselves: for ports with data
  /// offsets, see PortOptions::offset.
  zero_copy,
};
/// The name that nmx --xdp takes: "automatic", "zero-copy" and so on.
[[nodiscard]] std::string_view to_string(XdpMode mode) noexcept;

/// What the kernel counted at an interface's AF_XDP sockets: packets that did not come, descriptors
/// that it did not take. Linux: struct xdp_statistics.
struct XdpCounts {
  std::uint64_t rx_dropped = 0;    ///< for want of a buffer or of memory, or larger than a buffer
  std::uint64_t rx_no_buffer = 0;  ///< of these: the program had not released any
  std::uint64_t rx_ring_full = 0;  ///< beside these
  std::uint64_t rx_invalid = 0;
  std::uint64_t tx_invalid = 0;
};

/// What moved through the rings of a pipe since it was made, or of a VALE port since it was opened,
/// by all who have them open.
struct PortCounts {
  RingStats tx;               ///< handed over, whomever it reached
  RingStats rx;               ///< received and released; of a pipe, what the other end handed over
  std::uint64_t dropped = 0;  ///< packets that were for this port, and found no room there
};

/// A port that somebody has open, or is opening, or that is on a switch; or a VALE interface.
struct OpenPort {
  std::string name;  ///< as the device knows it
  std::uint16_t memory_id = 0;
  std::uint32_t process = 0;   ///< who opened it; 0 if nobody, or if the device does not say
  std::uint16_t tx_rings = 0;  ///< that it has open, on the embedded device
  std::uint16_t rx_rings = 0;
  std::optional<XdpMode> xdp{};
  std::optional<PortCounts> counts{};  ///< of an open pipe or VALE port of the embedded device
};

/// How a sync went, small enough for a register: syncs are the busiest of all calls.
class SyncStatus {
 public:
  constexpr SyncStatus() noexcept = default;
  constexpr SyncStatus(errc code) noexcept : code_(-static_cast<int>(code)) {}  // NOLINT: implicit
  /// Of this library's category or the system's.
  SyncStatus(std::error_code code) noexcept  // NOLINT: implicit
      : code_(code.category() == error_category() ? -code.value() : code.value()) {}
  [[nodiscard]] constexpr bool is_ok() const noexcept { return code_ == 0; }
  [[nodiscard]] std::error_code code() const noexcept {
    return code_ < 0 ? make_error_code(errc{-code_})
                     : std::error_code(code_, std::system_category());
  }

 private:
  int code_ = 0;  ///< an errno, or minus an errc
};

/// What a device has to do; see above.
class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  /// Unregisters: frees what `ni_bufs_head` lists and gives the rings back.
  virtual ~Device() = default;

  /// Carries out one request, answering in its header, body and options. Fails with the errno the
  /// module would give, and a sentence that says why.
  virtual Result<> control(abi::nmreq_header& request) = 0;

  /// The ports that are open, as far as the device can tell.
  virtual Result<std::vector<OpenPort>> open_ports() = 0;

  /// The memory of the registered port.
  virtual Result<std::shared_ptr<Region>> map() = 0;

  /// What the port holds beside its rings, as long as the device lives. Called once, after map().
  virtual void lend(const detail::BufferPool&) noexcept {}

  /// From here on a sync that finds nothing to receive, or no room to send, fails with peer_gone if
  /// the pipe's other end is not open any more. Fails with not_supported if the device cannot tell.
  virtual Result<> end_with_peer() {
    return std::unexpected(Error(
        errc::not_supported, "only pipes of the embedded device tell whether their peer has gone"));
  }

  /// How the registered port is attached to an interface.
  [[nodiscard]] virtual std::optional<XdpMode> xdp() const noexcept { return {}; }

  /// Whether NS_FORWARD in the port's rings takes effect between card and host, if it has rings of
  /// both. Fails with not_supported.
  [[nodiscard]] virtual Result<> can_forward() const { return {}; }

  /// What was counted since the interface was opened, by another port of the same queue too.
  [[nodiscard]] virtual XdpCounts xdp_counts() const noexcept { return {}; }

  /// Packets that found no room in the port's rings, see PortStats::dropped.
  [[nodiscard]] virtual std::uint64_t dropped() const noexcept { return 0; }

  /// What was inflicted so far, see faults.hpp.
  [[nodiscard]] virtual FaultCounts fault_counts() const noexcept { return {}; }

  /// Syncs every ring of a direction; afterwards their tails are new.
  virtual SyncStatus sync_tx() noexcept = 0;
  virtual SyncStatus sync_rx() noexcept = 0;

  /// What `why`, the status of a sync that failed, cannot say; empty if there is no more.
  [[nodiscard]] virtual std::string reason(std::error_code /*why*/) const { return {}; }

  /// The ledger of ring `n` of the port, in the order of its memory; stays where it is until the
  /// device goes. Called after map().
  [[nodiscard]] virtual detail::Ledger& ledger(Direction direction, std::size_t n) noexcept = 0;

  /// What to poll to be woken for `direction` once arm() was called.
  [[nodiscard]] virtual WaitHandle wait_handle(Direction direction) const noexcept = 0;
  /// Whether polling the handles is a sync of all rings of `directions`, before it sleeps and
  /// after. If not, whoever has armed must sync and look once more before it sleeps.
  [[nodiscard]] virtual bool poll_syncs(Directions directions) const noexcept = 0;
  /// Asks for a wake-up: for rx by any arrival, for tx when a ring has as many slots free as its
  /// ledger wants.
  virtual void arm(Directions directions) noexcept = 0;
  /// Takes back arm() and uses up the wake-up, if one came.
  virtual void disarm(Directions directions) noexcept = 0;
};

}  // namespace netmap
