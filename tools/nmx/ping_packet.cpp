// SPDX-License-Identifier: BSD-2-Clause
#include "ping_packet.hpp"

#include "little.hpp"

#include <algorithm>

namespace nmx {
namespace {

constexpr std::size_t number_at = header_bytes;
constexpr std::size_t run_at = number_at + 8;

}  // namespace

PingWriter::PingWriter(const Header& header, std::size_t frame_bytes, std::uint32_t run)
    : frame_(frame_bytes) {
  std::ranges::copy(header, frame_.begin());
  put_at<std::uint32_t>(frame_.data() + run_at, run);
}

std::span<const std::byte> PingWriter::make(std::uint64_t number) {
  put_at<std::uint64_t>(frame_.data() + number_at, number);
  return frame_;
}

std::optional<std::uint64_t> number_of_ping(std::span<const std::byte> frame, std::uint32_t run) {
  if (frame.size() < shortest_ping || !is_udp(frame)) return {};
  if (get<std::uint32_t>(frame.data() + run_at) != run) return {};
  return get<std::uint64_t>(frame.data() + number_at);
}

}  // namespace nmx
