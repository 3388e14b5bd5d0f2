// SPDX-License-Identifier: BSD-2-Clause
// Slots are of a ring that has to stay.
#include <netmap/netmap.hpp>

#ifdef MUST_NOT_COMPILE
netmap::TxSlots slots(netmap::TxRing ring) {
#else
netmap::TxSlots slots(netmap::TxRing& ring) {
#endif
  return ring.slots();
}
