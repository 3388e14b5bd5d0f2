// SPDX-License-Identifier: BSD-2-Clause
// A swap takes a received and a free slot.
#include <netmap/netmap.hpp>

void use(netmap::RxSlot received, netmap::TxSlot free) {
#ifdef MUST_NOT_COMPILE
  (void)netmap::swap(received, received);
#endif
  (void)netmap::swap(received, free);
}
