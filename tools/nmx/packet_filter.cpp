// SPDX-License-Identifier: BSD-2-Clause
#include "packet_filter.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <system_error>
#include <utility>

namespace nmx {

struct PacketFilter::Program {
  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() { pcap_freecode(&code); }

  bpf_program code{};
};

PacketFilter::PacketFilter() noexcept = default;
PacketFilter::PacketFilter(PacketFilter&&) noexcept = default;
PacketFilter& PacketFilter::operator=(PacketFilter&&) noexcept = default;
PacketFilter::~PacketFilter() = default;
PacketFilter::PacketFilter(std::unique_ptr<Program> program) noexcept
    : program_(std::move(program)) {}

netmap::Result<PacketFilter> PacketFilter::compile(const std::string& expression) {
  constexpr int longest = 262'144;
  const std::unique_ptr<pcap_t, void (*)(pcap_t*)> ethernet(pcap_open_dead(DLT_EN10MB, longest),
                                                            pcap_close);
  auto program = std::make_unique<Program>();
  if (!ethernet || pcap_compile(ethernet.get(), &program->code, expression.c_str(), 1,
                                PCAP_NETMASK_UNKNOWN) != 0) {
    return std::unexpected(netmap::Error(
        std::make_error_code(std::errc::invalid_argument),
        fmt::format("'{}' is no filter: {}; pcap-filter(7) has the language", expression,
                    ethernet ? pcap_geterr(ethernet.get()) : "no memory")));
  }
  return PacketFilter(std::move(program));
}

bool PacketFilter::accepts(std::span<const std::byte> packet) const {
  if (!program_) return true;
  pcap_pkthdr head{};
  head.caplen = head.len = static_cast<bpf_u_int32>(packet.size());
  const auto* bytes = reinterpret_cast<const u_char*>(packet.data());
  return pcap_offline_filter(&program_->code, &head, bytes) != 0;
}

}  // namespace nmx
