// SPDX-License-Identifier: BSD-2-Clause
// Packets are of a ring that has to stay.
#include <netmap/netmap.hpp>

#ifdef MUST_NOT_COMPILE
netmap::Packets packets(netmap::RxRing ring) {
#else
netmap::Packets packets(netmap::RxRing& ring) {
#endif
  return ring.packets();
}
