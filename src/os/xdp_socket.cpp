// SPDX-License-Identifier: BSD-2-Clause
#include "os/xdp_socket.hpp"

#include <linux/if_xdp.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace netmap::os {
namespace {

// What older headers lack.
constexpr std::uint16_t use_fragments = 1 << 4;  // XDP_USE_SG
constexpr int packets_a_call = 9;                // XDP_MAX_TX_SKB_BUDGET

static_assert(sizeof(XdpDescriptor) == sizeof(xdp_desc));
static_assert(xdp::need_wakeup == XDP_RING_NEED_WAKEUP);
static_assert(xdp::offset_shift == XSK_UNALIGNED_BUF_OFFSET_SHIFT);

template <class Value>
Outcome<> set(const File& socket, int option, const Value& value) {
  if (::setsockopt(socket.fd(), SOL_XDP, option, &value, sizeof value) != 0) return failure();
  return {};
}

Outcome<> set_sizes(const File& socket, const XdpSocket::Shape& shape) {
  const std::pair<int, std::uint32_t> sizes[] = {{XDP_UMEM_FILL_RING, shape.rx_entries},
                                                 {XDP_UMEM_COMPLETION_RING, shape.tx_entries},
                                                 {XDP_RX_RING, shape.rx_entries},
                                                 {XDP_TX_RING, shape.tx_entries}};
  for (const auto& [option, entries] : sizes) {
    if (auto done = set(socket, option, entries); !done) return done;
  }
  return {};
}

/// As much as a whole ring of packets under way takes, which the kernel counts against the socket.
void allow_whole_ring(const File& socket, std::uint32_t entries) {
  constexpr int packet_bytes = 8192;
  const int bytes = static_cast<int>(entries) * packet_bytes;
  for (const int option : {SO_SNDBUFFORCE, SO_SNDBUF}) {
    if (::setsockopt(socket.fd(), SOL_SOCKET, option, &bytes, sizeof bytes) == 0) return;
  }
}

/// Else a call sends a few tens of packets. Linux 6.17, and not of small rings.
void send_at_once(const File& socket, std::uint32_t packets) {
  (void)set(socket, packets_a_call, packets);
}

Outcome<Mapping> map_ring(const File& socket, std::uint64_t bytes, std::uint64_t page_offset) {
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                      socket.fd(), static_cast<off_t>(page_offset));
  if (base == MAP_FAILED) return failure();
  return Mapping(std::span(static_cast<std::byte*>(base), bytes));
}

}  // namespace

Outcome<XdpSocket> XdpSocket::make(const Shape& shape) {
  File file(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!file) return failure();
  const xdp_umem_reg memory{.addr = reinterpret_cast<std::uintptr_t>(shape.memory.data()),
                            .len = shape.memory.size(),
                            .chunk_size = shape.chunk_bytes,
                            .headroom = shape.more_headroom,
                            .flags = shape.is_aligned ? 0U : XDP_UMEM_UNALIGNED_CHUNK_FLAG};
  auto done = set(file, XDP_UMEM_REG, memory);
  if (done) done = set_sizes(file, shape);
  if (!done) return std::unexpected(done.error());
  allow_whole_ring(file, shape.tx_entries);
  send_at_once(file, shape.tx_entries);
  XdpSocket socket(std::move(file), {});
  if (auto mapped = socket.map_rings(shape); !mapped) return std::unexpected(mapped.error());
  return socket;
}

Outcome<> XdpSocket::map_rings(const Shape& shape) {
  xdp_mmap_offsets offsets{};
  socklen_t size = sizeof offsets;
  if (::getsockopt(file_.fd(), SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size) != 0) return failure();
  const auto map = [&](XdpRing& into, const xdp_ring_offset& at, std::uint64_t page_offset,
                       std::uint32_t entries, std::size_t entry_bytes) -> Outcome<> {
    auto mapping = map_ring(file_, at.desc + entries * entry_bytes, page_offset);
    if (!mapping) return std::unexpected(mapping.error());
    std::byte* const base = mapping->bytes().data();
    const auto word = [&](std::uint64_t offset) {
      return reinterpret_cast<std::uint32_t*>(base + offset);
    };
    into = {word(at.producer), word(at.consumer), word(at.flags), base + at.desc, entries};
    mappings_.push_back(std::move(*mapping));
    return {};
  };
  constexpr std::size_t address = sizeof(std::uint64_t);
  constexpr std::size_t descriptor = sizeof(XdpDescriptor);
  auto& [fill, completion, rx, tx] = rings_;
  auto done = map(fill, offsets.fr, XDP_UMEM_PGOFF_FILL_RING, shape.rx_entries, address);
  if (done) done = map(rx, offsets.rx, XDP_PGOFF_RX_RING, shape.rx_entries, descriptor);
  if (done) done = map(tx, offsets.tx, XDP_PGOFF_TX_RING, shape.tx_entries, descriptor);
  if (!done) return done;
  return map(completion, offsets.cr, XDP_UMEM_PGOFF_COMPLETION_RING, shape.tx_entries, address);
}

Outcome<XdpSocket::Bound> XdpSocket::bind(std::uint32_t interface, std::uint32_t queue,
                                          Copying copying) const noexcept {
  constexpr std::uint16_t ways[] = {XDP_ZEROCOPY, XDP_COPY | use_fragments, XDP_COPY};
  sockaddr_xdp address{};
  address.sxdp_family = AF_XDP;
  address.sxdp_ifindex = interface;
  address.sxdp_queue_id = queue;
  for (const std::uint16_t way : ways) {
    const bool is_zero_copy = way == XDP_ZEROCOPY;
    if (copying == (is_zero_copy ? Copying::always : Copying::never)) continue;
    address.sxdp_flags = way | XDP_USE_NEED_WAKEUP;
    if (::bind(file_.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return Bound{(way & use_fragments) != 0, is_zero_copy};
    }
    if (errno == EBUSY || (!is_zero_copy && errno != EINVAL)) break;
  }
  return failure();
}

/// How long a call may poll does not matter to calls that do not block, as long as it may at all.
Outcome<> XdpSocket::poll_busily() const noexcept {
  constexpr std::pair<int, int> options[] = {
      {SO_PREFER_BUSY_POLL, 1}, {SO_BUSY_POLL, 20}, {SO_BUSY_POLL_BUDGET, 64}};
  for (const auto& [option, value] : options) {
    if (::setsockopt(file_.fd(), SOL_SOCKET, option, &value, sizeof value) != 0) return failure();
  }
  return {};
}

Outcome<> XdpSocket::send() const noexcept {
  if (::sendto(file_.fd(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) < 0) return failure();
  return {};
}

void XdpSocket::refill() const noexcept {
  (void)::recvfrom(file_.fd(), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr);
}

XdpSocket::Counts XdpSocket::counts() const noexcept {
  xdp_statistics counted{};
  socklen_t size = sizeof counted;
  (void)::getsockopt(file_.fd(), SOL_XDP, XDP_STATISTICS, &counted, &size);
  return {.rx_dropped = counted.rx_dropped,
          .rx_invalid = counted.rx_invalid_descs,
          .tx_invalid = counted.tx_invalid_descs,
          .rx_ring_full = counted.rx_ring_full,
          .rx_no_buffer = counted.rx_fill_ring_empty_descs};
}

std::error_code XdpSocket::error() const noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  (void)::getsockopt(file_.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  return {error, std::system_category()};
}

}  // namespace netmap::os
