// SPDX-License-Identifier: BSD-2-Clause
#include "device/pcap/reader.hpp"

#include "device/device.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace netmap::pcap {
namespace {

/// What the last step on `stream` failed with: an error of the system, or nothing of it.
std::error_code read_error(std::FILE* stream) noexcept {
  if (std::ferror(stream) == 0) return errc::capture_damaged;
  return {errno != 0 ? errno : EIO, std::system_category()};
}

Error cannot_read(std::error_code why, const std::string& sentence) {
  return {why, "cannot read the capture: " + sentence};
}

/// How long after `first` something was captured. Any number may stand in a file: what lies before
/// is not waited for, and nothing for longer than can be counted.
std::chrono::nanoseconds distance(const timeval& first, const timeval& time) noexcept {
  using std::chrono::nanoseconds, std::chrono::seconds;
  constexpr std::uint64_t longest = std::uint64_t{100} * 365 * 24 * 3600;
  if (time.tv_sec < first.tv_sec) return nanoseconds(0);
  const auto whole =
      static_cast<std::uint64_t>(time.tv_sec) - static_cast<std::uint64_t>(first.tv_sec);
  const nanoseconds rest(std::int64_t{time.tv_usec} - first.tv_usec);
  return std::max(nanoseconds(0),
                  seconds(static_cast<std::int64_t>(std::min(whole, longest))) + rest);
}

}  // namespace

// ---- The file ----------------------------------------------------------------------------------

Result<CaptureFile> CaptureFile::open(const std::string& path) {
  auto stream = os::open_to_read(path);
  if (!stream) return std::unexpected(cannot_read(stream.error(), stream.error().message()));
  char reason[PCAP_ERRBUF_SIZE]{};
  Handle handle(
      pcap_fopen_offline_with_tstamp_precision(stream->get(), PCAP_TSTAMP_PRECISION_NANO, reason));
  if (!handle) return std::unexpected(cannot_read(read_error(stream->get()), reason));
  (void)stream->release();
  const int link_type = pcap_datalink(handle.get());
  if (link_type == DLT_EN10MB) return CaptureFile(std::move(handle));
  const char* name = pcap_datalink_val_to_name(link_type);
  return std::unexpected(cannot_read(
      errc::not_supported, "its packets have the link type " +
                               (name != nullptr ? std::string(name) : std::to_string(link_type)) +
                               ", and netmap's are Ethernet's (EN10MB)"));
}

std::optional<CaptureFile::Packet> CaptureFile::next(SyncStatus& why) noexcept {
  pcap_pkthdr* head = nullptr;
  const u_char* bytes = nullptr;
  const int got = pcap_next_ex(handle_.get(), &head, &bytes);
  if (got == 1) return Packet{std::as_bytes(std::span(bytes, head->caplen)), head->ts};
  why =
      got == PCAP_ERROR_BREAK ? SyncStatus(errc::end_of_capture) : SyncStatus(read_error(stream()));
  return {};
}

// ---- Into the ring -----------------------------------------------------------------------------

SyncStatus CaptureReader::sync(bool must_wake) noexcept {
  const auto head = ring_.head();
  if (!head) return errc::ring_corrupt;
  ring_.pass(*head);
  if (const auto filled = fill(must_wake); !filled.is_ok()) return filled;
  if ((detail::load(ring_.raw().flags) & abi::ring_flags::timestamp) != 0) stamp_time(ring_.raw());
  const bool is_over = !end_.is_ok() && !waiting_;
  const bool is_released = ring_.first() == ring_.tail();
  return is_over && (is_released || (must_wake && ring_.is_seen())) ? end_ : SyncStatus();
}

/// Shows packets for as long as one is there, is due, and has room.
SyncStatus CaptureReader::fill(bool must_wake) noexcept {
  while (waiting_ || fetch(must_wake)) {
    const auto bytes = static_cast<std::uint32_t>(waiting_->bytes.size());
    const std::uint32_t slots =
        std::max(1U, (bytes + ring_.buffer_size() - 1) / ring_.buffer_size());
    if (slots > ring_.size() - 1) {
      end_ = errc::packet_too_large;
      waiting_.reset();
    }
    if (!waiting_ || slots > ring_.room() || !is_due(must_wake)) return {};
    if (const auto shown = show(slots); !shown.is_ok()) return shown;
  }
  return {};
}

bool CaptureReader::fetch(bool must_wake) noexcept {
  if (!end_.is_ok()) return false;
  if (is_stream_ && !os::can_read(file_.stream())) {
    if (must_wake) wake_->when_readable(::fileno(file_.stream()));
    return false;
  }
  waiting_ = file_.next(end_);
  return waiting_.has_value();
}

bool CaptureReader::is_due(bool must_wake) noexcept {
  if (!is_timed_) return true;
  const auto now = Clock::now();
  if (!first_time_) {
    first_time_ = waiting_->time;
    start_ = now;
  }
  const auto due = start_ + distance(*first_time_, waiting_->time);
  if (due <= now) return true;
  if (must_wake) wake_->at(due);
  return false;
}

SyncStatus CaptureReader::show(std::uint32_t slots) noexcept {
  auto rest = waiting_->bytes;
  std::uint32_t at = ring_.tail();
  for (; slots != 0; --slots, at = ring_.next(at)) {
    const auto part = rest.first(std::min<std::size_t>(rest.size(), ring_.buffer_size()));
    rest = rest.subspan(part.size());
    const std::uint16_t flags = slots > 1 ? abi::slot_flags::more_fragments : std::uint16_t{0};
    if (!ring_.write(at, part, flags)) return errc::ring_corrupt;
  }
  ring_.set_tail(at);
  waiting_.reset();
  return {};
}

}  // namespace netmap::pcap
