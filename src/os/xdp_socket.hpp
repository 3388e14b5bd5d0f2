// SPDX-License-Identifier: BSD-2-Clause
//
// An AF_XDP socket: one queue of a network interface, and the four rings by which frames go to the
// kernel and come back. Linux: Documentation/networking/af_xdp.rst.
#pragma once

#include "os/os.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace netmap::os {

/// One ring as the kernel shares it. Both indices run freely; entry i is at i & (entries - 1).
struct XdpRing {
  std::uint32_t* producer = nullptr;
  std::uint32_t* consumer = nullptr;
  std::uint32_t* flags = nullptr;
  void* first = nullptr;
  std::uint32_t entries = 0;
};

struct XdpDescriptor {
  std::uint64_t address;
  std::uint32_t length;
  std::uint32_t options;
};

namespace xdp {
/// In XdpRing::flags: the kernel wants a system call to go on.
inline constexpr std::uint32_t need_wakeup = 1;
/// In XdpDescriptor::options: the packet goes on in the next descriptor. Linux 6.6.
inline constexpr std::uint32_t more_fragments = 1;
/// A frame's address in its low bits, where the data begins behind that in its high ones.
inline constexpr unsigned offset_shift = 48;
/// Bytes that the kernel leaves free in front of what it receives.
inline constexpr std::uint32_t headroom = 256;
inline constexpr std::uint32_t min_chunk = 2048;
inline constexpr std::uint32_t max_chunk = 4096;
}  // namespace xdp

/// Whether the kernel copies packets, or the driver reads and writes the frames themselves.
enum class Copying : std::uint8_t { always, if_needed, never };

class XdpSocket {
 public:
  struct Rings {
    XdpRing fill;
    XdpRing completion;
    XdpRing rx;
    XdpRing tx;
  };
  struct Shape {
    std::span<std::byte> memory;  ///< whole pages, that outlive the socket; it pins them
    std::uint32_t chunk_bytes;    ///< what the kernel may write, from a frame's address on
    std::uint32_t more_headroom;  ///< of these free in front of what is received, beside headroom
    bool is_aligned;  ///< chunks begin at multiples of their size, a power of two; else anywhere
    std::uint32_t rx_entries;  ///< of the rx and the fill ring, a power of two
    std::uint32_t tx_entries;  ///< of the tx and the completion ring, likewise
  };
  /// Whose rings somebody else has mapped.
  XdpSocket(File file, const Rings& rings) noexcept : file_(std::move(file)), rings_(rings) {}
  [[nodiscard]] static Outcome<XdpSocket> make(const Shape& shape);

  struct Bound {
    bool has_fragments;  ///< packets may have several; never without copies, see bind()
    bool is_zero_copy;
  };
  /// Binds it to a queue. Without copies packets have one fragment each: how many more a driver
  /// takes it does not say, and what it does not take it keeps.
  [[nodiscard]] Outcome<Bound> bind(std::uint32_t interface, std::uint32_t queue,
                                    Copying copying) const noexcept;

  /// send() and refill() have the driver work on the queue, and interrupts are put off meanwhile.
  [[nodiscard]] Outcome<> poll_busily() const noexcept;

  /// Has the kernel send what is in the tx ring, or a part of it.
  [[nodiscard]] Outcome<> send() const noexcept;
  /// Has the kernel go on with what is in the fill ring.
  void refill() const noexcept;
  /// The error that ended it, if one did.
  [[nodiscard]] std::error_code error() const noexcept;

  struct Counts {
    std::uint64_t rx_dropped;
    std::uint64_t rx_invalid;
    std::uint64_t tx_invalid;
    std::uint64_t rx_ring_full;
    std::uint64_t rx_no_buffer;
  };
  /// Since it was made.
  [[nodiscard]] Counts counts() const noexcept;

  [[nodiscard]] int fd() const noexcept { return file_.fd(); }
  [[nodiscard]] const Rings& rings() const noexcept { return rings_; }

 private:
  Outcome<> map_rings(const Shape& shape);

  File file_;
  std::vector<Mapping> mappings_;
  Rings rings_;
};

}  // namespace netmap::os
