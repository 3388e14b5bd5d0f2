// SPDX-License-Identifier: BSD-2-Clause
// Slots to send are committed, not released.
#include <netmap/netmap.hpp>

void use(netmap::TxRing& tx) {
#ifdef MUST_NOT_COMPILE
  (void)tx.release(tx.slots().end());
#endif
  (void)tx.commit(tx.slots().end());
}
