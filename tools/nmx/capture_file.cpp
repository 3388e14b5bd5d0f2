// SPDX-License-Identifier: BSD-2-Clause
#include "capture_file.hpp"

#include "regular_file.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace nmx {

using netmap::Error;
using netmap::Result;

namespace {

struct ClosePcap {
  void operator()(pcap_t* handle) const noexcept { pcap_close(handle); }
};
struct CloseStream {
  void operator()(std::FILE* stream) const noexcept { std::fclose(stream); }
};
using Handle = std::unique_ptr<pcap_t, ClosePcap>;
using Stream = std::unique_ptr<std::FILE, CloseStream>;

std::unexpected<Error> cannot_read(const std::string& path, std::error_code why,
                                   const std::string& because) {
  return std::unexpected(
      Error(why, fmt::format("cannot read the capture '{}': {}", path, because)));
}

std::error_code last_error() {
  return {errno, std::system_category()};
}

/// Not buffered unless it is a regular file, so that poll() tells of all there is.
Stream open_stream(const std::string& path) {
  const bool is_input = path == "-";
  const int fd = is_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                          : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  Stream stream(::fdopen(fd, "r"));
  if (!stream) ::close(fd);
  if (stream && !is_regular(fd)) std::setvbuf(stream.get(), nullptr, _IONBF, 0);
  return stream;
}

}  // namespace

struct CaptureFile::File {
  std::string path;
  Handle handle;
  bool is_stream;
};

CaptureFile::CaptureFile(std::unique_ptr<File> file) noexcept : file_(std::move(file)) {}
CaptureFile::CaptureFile(CaptureFile&&) noexcept = default;
CaptureFile::~CaptureFile() = default;

Result<CaptureFile> CaptureFile::open(const std::string& path) {
  auto stream = open_stream(path);
  if (!stream) return cannot_read(path, last_error(), last_error().message());
  char reason[PCAP_ERRBUF_SIZE]{};
  Handle handle(
      pcap_fopen_offline_with_tstamp_precision(stream.get(), PCAP_TSTAMP_PRECISION_NANO, reason));
  if (!handle) {
    const auto why = std::ferror(stream.get()) != 0 ? last_error() : netmap::errc::capture_damaged;
    return cannot_read(path, why, reason);
  }
  const bool is_stream = !is_regular(::fileno(stream.release()));
  const int link_type = pcap_datalink(handle.get());
  if (link_type == DLT_EN10MB) {
    return CaptureFile(std::make_unique<File>(path, std::move(handle), is_stream));
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
  return Packet{std::as_bytes(std::span(bytes, head->caplen)), head->len,
                std::chrono::seconds(head->ts.tv_sec) + std::chrono::nanoseconds(head->ts.tv_usec)};
}

bool CaptureFile::is_ready(std::chrono::milliseconds timeout) const {
  if (!file_->is_stream) return true;
  pollfd one{::fileno(pcap_file(file_->handle.get())), POLLIN, 0};
  return ::poll(&one, 1, static_cast<int>(timeout.count())) > 0;
}

}  // namespace nmx
