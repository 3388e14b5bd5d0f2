// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "netmap.h"

#include <netmap/ring.hpp>

// The loops of netmap.h with the library. extern "C" gives them names to ask callgrind for.
extern "C" {
int receive_api(netmap::RxRing& rx, seen* seen);
int send_api(netmap::TxRing& tx, const std::uint16_t* lengths, std::uint64_t stamp);
int forward_api(netmap::RxRing& rx, netmap::TxRing& tx, std::size_t limit, moved* moved);
}
