// SPDX-License-Identifier: BSD-2-Clause
//
// Packets between VALE ports whose virtio-net headers differ in length (Virtual I/O Device 1.2,
// 5.1.6). Such a header leaves work to whoever sends the packet on: a checksum, and cutting it into
// segments. A port without headers gets packets with that work done, as the module does it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace netmap::embedded {

using Frame = std::vector<std::byte>;

/// What becomes of `packet`, which begins with `from` bytes of header, where headers have `to`
/// bytes: 0, 10 or 12. Usually one frame; none, if its header or what that promises cannot be.
[[nodiscard]] std::vector<Frame> convert_header(std::span<const std::byte> packet, std::size_t from,
                                                std::size_t to);

}  // namespace netmap::embedded
