// SPDX-License-Identifier: BSD-2-Clause
//
// Stands for packet_filter.cpp and capture_file.cpp where there is no libpcap.
#include "capture_file.hpp"
#include "packet_filter.hpp"

#include <utility>

namespace nmx {
namespace {

std::unexpected<netmap::Error> needs_libpcap(const char* what) {
  return std::unexpected(netmap::Error(
      netmap::errc::not_supported,
      std::string(what) + " libpcap, which nmx was built without; install it (on Debian "
                          "libpcap-dev) and build nmx again"));
}

}  // namespace

struct PacketFilter::Program {};

PacketFilter::PacketFilter() noexcept = default;
PacketFilter::PacketFilter(PacketFilter&&) noexcept = default;
PacketFilter& PacketFilter::operator=(PacketFilter&&) noexcept = default;
PacketFilter::~PacketFilter() = default;
netmap::Result<PacketFilter> PacketFilter::compile(const std::string&) {
  return needs_libpcap("filters need");
}
bool PacketFilter::accepts(std::span<const std::byte>) const {
  return true;
}

struct CaptureFile::File {};

CaptureFile::CaptureFile(CaptureFile&&) noexcept = default;
CaptureFile::~CaptureFile() = default;
netmap::Result<CaptureFile> CaptureFile::open(const std::string&) {
  return needs_libpcap("reading captures needs");
}
netmap::Result<std::optional<CaptureFile::Packet>> CaptureFile::next() {
  return std::nullopt;
}
bool CaptureFile::is_ready(std::chrono::milliseconds) const {
  return true;
}
void CaptureFile::give_up_on(std::stop_token) {}

}  // namespace nmx
