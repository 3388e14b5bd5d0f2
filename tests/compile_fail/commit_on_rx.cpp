// SPDX-License-Identifier: BSD-2-Clause
// Received slots are released, not committed.
#include <netmap/netmap.hpp>

void use(netmap::RxRing& rx) {
#ifdef MUST_NOT_COMPILE
  (void)rx.commit(rx.slots().end());
#endif
  (void)rx.release(rx.slots().end());
}
