// SPDX-License-Identifier: BSD-2-Clause
#include "capture_file.hpp"

#include "regular_file.hpp"
#include "stop.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace nmx {

using netmap::Error;
using netmap::Result;

/// What CaptureFile::File consists of.
namespace capture_file {

struct ClosePcap {
  void operator()(pcap_t* handle) const noexcept { pcap_close(handle); }
};
using Handle = std::unique_ptr<pcap_t, ClosePcap>;

/// What is no regular file, and may keep its reader waiting.
struct Source {
  int fd;
  off64_t read = 0;  ///< bytes
  std::stop_token stop = {};
};

}  // namespace capture_file

namespace {

using capture_file::Handle;
using capture_file::Source;

struct CloseStream {
  void operator()(std::FILE* stream) const noexcept { std::fclose(stream); }
};
using Stream = std::unique_ptr<std::FILE, CloseStream>;

std::unexpected<Error> cannot_read(const std::string& path, std::error_code why,
                                   const std::string& because) {
  return std::unexpected(
      Error(why, fmt::format("cannot read the capture '{}': {}", path, because)));
}

std::error_code last_error() {
  return {errno, std::system_category()};
}

ssize_t read_source(void* cookie, char* into, std::size_t size) {
  auto& source = *static_cast<Source*>(cookie);
  pollfd one{source.fd, POLLIN, 0};
  while (::poll(&one, 1, static_cast<int>(slice.count())) <= 0) {
    if (!stop_requested() && !source.stop.stop_requested()) continue;
    errno = EINTR;
    return -1;
  }
  const ssize_t got = ::read(source.fd, into, size);
  source.read += std::max(got, ssize_t{0});
  return got;
}

/// Tells where it is, and cannot go elsewhere.
int seek_source(void* cookie, off64_t* offset, int whence) {
  if (whence == SEEK_CUR && *offset == 0) {
    *offset = static_cast<const Source*>(cookie)->read;
    return 0;
  }
  errno = ESPIPE;
  return -1;
}

int close_source(void* cookie) {
  const std::unique_ptr<Source> source(static_cast<Source*>(cookie));
  return ::close(source->fd);
}

Stream open_source(std::unique_ptr<Source> source) {
  Stream stream(::fopencookie(
      source.get(), "r",
      {.read = read_source, .write = nullptr, .seek = seek_source, .close = close_source}));
  if (stream) (void)source.release();
  return stream;
}

int open_descriptor(const std::string& path) {
  const bool is_input = path == "-";
  return is_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                  : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
}

/// Any number may stand in a file; what can be counted ends in 2262.
std::chrono::nanoseconds time_of(const timeval& time) {
  constexpr std::int64_t latest = 9'000'000'000;
  const std::chrono::seconds whole(std::clamp<std::int64_t>(time.tv_sec, 0, latest));
  return whole + std::chrono::nanoseconds(time.tv_usec);
}

}  // namespace

struct CaptureFile::File {
  std::string path;
  Handle handle;
  Source* source;  ///< the handle's; null: a regular file
};

CaptureFile::CaptureFile(std::unique_ptr<File> file) noexcept : file_(std::move(file)) {}
CaptureFile::CaptureFile(CaptureFile&&) noexcept = default;
CaptureFile::~CaptureFile() = default;

Result<CaptureFile> CaptureFile::open(const std::string& path) {
  const int fd = open_descriptor(path);
  if (fd < 0) return cannot_read(path, last_error(), last_error().message());
  auto owner = std::make_unique<Source>(fd);
  Source* const source = is_regular(fd) ? nullptr : owner.get();
  Stream stream = source == nullptr ? Stream(::fdopen(fd, "r")) : open_source(std::move(owner));
  if (!stream) ::close(fd);
  if (!stream) return cannot_read(path, last_error(), last_error().message());
  char reason[PCAP_ERRBUF_SIZE]{};
  Handle handle(
      pcap_fopen_offline_with_tstamp_precision(stream.get(), PCAP_TSTAMP_PRECISION_NANO, reason));
  if (!handle) {
    const auto why = std::ferror(stream.get()) != 0 ? last_error() : netmap::errc::capture_damaged;
    return cannot_read(path, why, reason);
  }
  (void)stream.release();
  const int link_type = pcap_datalink(handle.get());
  if (link_type == DLT_EN10MB) {
    return CaptureFile(std::make_unique<File>(path, std::move(handle), source));
  }
  const char* name = pcap_datalink_val_to_name(link_type);
  return cannot_read(path, netmap::errc::not_supported,
                     fmt::format("its packets have the link type {}, and netmap's are Ethernet's",
                                 name != nullptr ? name : std::to_string(link_type)));
}

Result<std::optional<CaptureFile::Packet>> CaptureFile::next() {
  pcap_pkthdr* head = nullptr;
  const u_char* bytes = nullptr;
  const int got = pcap_next_ex(file_->handle.get(), &head, &bytes);
  if (got == PCAP_ERROR_BREAK) return std::nullopt;
  if (got != 1) {
    return cannot_read(file_->path, netmap::errc::capture_damaged,
                       pcap_geterr(file_->handle.get()));
  }
  return Packet{std::as_bytes(std::span(bytes, head->caplen)), head->len, time_of(head->ts)};
}

bool CaptureFile::is_ready(std::chrono::milliseconds timeout) const {
  if (file_->source == nullptr) return true;
  const bool is_buffered = ::ftello(pcap_file(file_->handle.get())) < file_->source->read;
  if (is_buffered) return true;
  pollfd one{file_->source->fd, POLLIN, 0};
  return ::poll(&one, 1, static_cast<int>(timeout.count())) > 0;
}

void CaptureFile::give_up_on(std::stop_token stop) {
  if (file_->source != nullptr) file_->source->stop = std::move(stop);
}

}  // namespace nmx
