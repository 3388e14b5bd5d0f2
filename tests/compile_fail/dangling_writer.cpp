// SPDX-License-Identifier: BSD-2-Clause
// A writer is of a ring that has to stay.
#include <netmap/netmap.hpp>

#ifdef MUST_NOT_COMPILE
netmap::PacketWriter writer(netmap::TxRing ring) {
#else
netmap::PacketWriter writer(netmap::TxRing& ring) {
#endif
  return ring.writer();
}
