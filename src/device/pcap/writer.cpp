// SPDX-License-Identifier: BSD-2-Clause
#include "device/pcap/writer.hpp"

#include "device/pcap/handle.hpp"
#include "os/stream.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

namespace netmap::pcap {
namespace {

/// libpcap's own limit for Ethernet: it takes a longer packet for damage.
constexpr std::uint32_t longest_packet = 262'144;

std::error_code last_error() noexcept {
  return {errno != 0 ? errno : EIO, std::system_category()};
}

Error cannot_write(std::error_code why) {
  return {why, "cannot write the capture: " + why.message()};
}

/// With nanoseconds where the name says microseconds.
timeval wall_clock() noexcept {
  using namespace std::chrono;
  const nanoseconds now = system_clock::now().time_since_epoch();
  const auto whole = floor<seconds>(now);
  return {static_cast<time_t>(whole.count()), static_cast<suseconds_t>((now - whole).count())};
}

/// The place behind the packet that begins at `from`; nothing if its end is not committed yet.
std::optional<std::uint32_t> end_of_packet(const OwnRing& ring, std::uint32_t from,
                                           std::uint32_t head) noexcept {
  while (from != head) {
    const bool goes_on = detail::load(ring.slot(from)).more_fragments();
    from = ring.next(from);
    if (!goes_on) return from;
  }
  return {};
}

}  // namespace

CaptureWriter::CaptureWriter(Dumper dumper, const RingPlace& at)
    : dumper_(std::move(dumper)),
      ring_(at),
      joined_(std::make_unique_for_overwrite<std::byte[]>(longest_packet)) {}

Result<CaptureWriter> CaptureWriter::open(const std::string& path, const RingPlace& at) {
  auto stream = os::open_to_write(path);
  if (!stream) return std::unexpected(cannot_write(stream.error()));
  const Handle format(
      pcap_open_dead_with_tstamp_precision(DLT_EN10MB, longest_packet, PCAP_TSTAMP_PRECISION_NANO));
  if (!format) return std::unexpected(cannot_write(last_error()));
  Dumper dumper(pcap_dump_fopen(format.get(), stream->release()));
  if (!dumper || pcap_dump_flush(dumper.get()) != 0) {
    return std::unexpected(cannot_write(last_error()));
  }
  return CaptureWriter(std::move(dumper), at);
}

SyncStatus CaptureWriter::sync() noexcept {
  if (!failed_.is_ok()) return failed_;
  const auto head = ring_.head();
  if (!head) return errc::ring_corrupt;
  if (*head == ring_.first()) return {};
  const auto written = write_packets(*head);
  if (pcap_dump_flush(dumper_.get()) != 0) failed_ = last_error();
  ring_.set_tail(ring_.previous(ring_.first()));
  return failed_.is_ok() ? written : failed_;
}

SyncStatus CaptureWriter::write_packets(std::uint32_t head) noexcept {
  const timeval now = wall_clock();
  while (const auto end = end_of_packet(ring_, ring_.first(), head)) {
    if (const auto written = write(ring_.first(), *end, now); !written.is_ok()) return written;
    ring_.pass(*end);
  }
  return {};
}

SyncStatus CaptureWriter::write(std::uint32_t from, std::uint32_t end,
                                const timeval& now) noexcept {
  std::span<const std::byte> packet;
  std::uint32_t size = 0;
  for (std::uint32_t at = from; at != end; at = ring_.next(at)) {
    const detail::SlotWord slot = detail::load(ring_.slot(at));
    const auto bytes = ring_.bytes(slot);
    if (!bytes) return errc::ring_corrupt;
    packet = *bytes;
    if (packet.size() > longest_packet - size) return errc::packet_too_large;
    if (ring_.next(from) != end && !packet.empty()) {
      std::memcpy(joined_.get() + size, packet.data(), packet.size());
    }
    size += slot.length;
  }
  if (ring_.next(from) != end) packet = {joined_.get(), size};
  const pcap_pkthdr head{.ts = now, .caplen = size, .len = size};
  pcap_dump(reinterpret_cast<u_char*>(dumper_.get()), &head,
            reinterpret_cast<const u_char*>(packet.data()));
  if (std::ferror(pcap_dump_file(dumper_.get())) != 0) failed_ = last_error();
  return failed_;
}

}  // namespace netmap::pcap
