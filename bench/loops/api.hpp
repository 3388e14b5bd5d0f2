// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "netmap.h"

#include <netmap/forward.hpp>

// The loops of netmap.h with the library.
int receive_api(netmap::RxRing& rx, seen* seen);
int receive_control(netmap::RxRing& rx, seen* seen);  // with one more check of each packet
int send_api(netmap::TxRing& tx, const std::uint16_t* lengths, std::uint64_t stamp);
netmap::Result<netmap::Forwarded> forward_api(netmap::RxRing& rx, netmap::TxRing& tx,
                                              std::size_t limit);
