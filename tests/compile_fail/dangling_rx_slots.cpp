// SPDX-License-Identifier: BSD-2-Clause
// Slots are of a ring that has to stay.
#include <netmap/netmap.hpp>

#ifdef MUST_NOT_COMPILE
netmap::RxSlots slots(netmap::RxRing ring) {
#else
netmap::RxSlots slots(netmap::RxRing& ring) {
#endif
  return ring.slots();
}
