// SPDX-License-Identifier: BSD-2-Clause
#include "api.hpp"

#include <cstring>

namespace {

template <bool one_more_check>
[[gnu::always_inline]] inline int receive(netmap::RxRing& rx, seen* seen) {
  std::uint64_t bytes = 0;
  std::uint64_t sum = 0;
  const auto packets = rx.packets();
  auto at = packets.begin();
  for (; at != packets.end(); ++at) {
    const netmap::Packet packet = *at;
    const auto front = packet.front();
    if (one_more_check && front.size() > 1536) continue;
    if (std::uint64_t word = 0; front.size() >= sizeof word) {
      std::memcpy(&word, front.data(), sizeof word);
      sum += word;
    }
    bytes += packet.size();
  }
  seen->bytes += bytes;
  seen->sum += sum;
  return rx.release(at) ? 0 : -1;
}

}  // namespace

int receive_api(netmap::RxRing& rx, seen* seen) {
  return receive<false>(rx, seen);
}
int receive_control(netmap::RxRing& rx, seen* seen) {
  return receive<true>(rx, seen);
}

int send_api(netmap::TxRing& tx, const std::uint16_t* lengths, std::uint64_t stamp) {
  const auto free = tx.slots();
  auto at = free.begin();
  for (; at != free.end(); ++at) {
    netmap::TxSlot slot = *at;
    if (!slot.set_length(*lengths++)) break;
    std::memcpy(slot.buffer().data(), &stamp, sizeof stamp);
    ++stamp;
  }
  return tx.commit(at) ? 0 : -1;
}

netmap::Result<netmap::Forwarded> forward_api(netmap::RxRing& rx, netmap::TxRing& tx,
                                              std::size_t limit) {
  return forward(rx, tx, limit);
}
