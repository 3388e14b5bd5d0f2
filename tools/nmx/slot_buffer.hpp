// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/slot.hpp>

#include <cstddef>
#include <span>

namespace nmx {

/// So many bytes of the buffer of a slot whose length was set to that. Fails with ring_corrupt if
/// there are fewer: whoever has the ring's other side can have moved the slot's data offset since.
[[nodiscard]] inline netmap::Result<std::span<std::byte>> to_be_sent(const netmap::TxSlot& slot,
                                                                     std::size_t bytes) {
  const auto buffer = slot.buffer();
  if (buffer.size() < bytes) [[unlikely]]
    return std::unexpected(netmap::errc::ring_corrupt);
  return buffer.first(bytes);
}

}  // namespace nmx
