// SPDX-License-Identifier: BSD-2-Clause
#include "conformance/ethernet.hpp"

#include <algorithm>
#include <array>

namespace netmap::conformance {

std::vector<std::byte> frame(std::uint32_t number, Address from, Address to, std::size_t bytes) {
  std::vector<std::byte> packet = numbered(number, bytes - header_bytes);
  std::array<std::byte, header_bytes> header{};
  if (to == broadcast) std::ranges::fill(std::span(header).first(6), std::byte{0xff});
  if (to != broadcast) header[0] = std::byte{2};
  header[5] = std::byte{to};
  header[6] = std::byte{2};
  header[11] = std::byte{from};
  header[12] = std::byte{ether_type >> 8};
  header[13] = std::byte{ether_type & 0xff};
  packet.insert(packet.begin(), header.begin(), header.end());
  return packet;
}

std::optional<std::uint32_t> number_in_frame(std::span<const std::byte> packet) {
  if (packet.size() < header_bytes || packet[12] != std::byte{ether_type >> 8} ||
      packet[13] != std::byte{ether_type & 0xff}) {
    return {};
  }
  return number_of(packet.subspan(header_bytes));
}

void send_frames(Port& port, std::size_t ring, std::uint32_t first, std::uint32_t count,
                 Address from, Address to) {
  TxRing& tx = port.tx_rings()[ring];
  for (std::uint32_t sent = 0; sent != count;) {
    const auto result = tx.send(frame(first + sent, from, to));
    sent += result ? 1 : 0;
    if (result) continue;
    ASSERT_EQ(code_of(result), errc::ring_full);
    must(port.sync_tx());
    ASSERT_FALSE(must(port.wait(Direction::tx, patience)).empty());
  }
  must(port.sync_tx());
}

std::vector<std::uint32_t> receive_frames(Port& port, std::size_t ring, std::size_t count) {
  std::vector<std::uint32_t> received;
  while (received.size() < count && !must(port.wait(Direction::rx, patience)).empty()) {
    for (std::size_t other = 0; other != port.rx_rings().size(); ++other) {
      port.rx_rings()[other].for_each([&](const Packet& packet) {
        const auto number = number_in_frame(packet.front());
        if (number && other == ring) received.push_back(*number);
      });
    }
  }
  must(port.sync_rx());
  return received;
}

}  // namespace netmap::conformance
