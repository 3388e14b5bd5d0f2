// SPDX-License-Identifier: BSD-2-Clause
// A position comes from a view; a slot index becomes one only where the code says so.
#include <netmap/netmap.hpp>

void use(netmap::RxRing& rx) {
#ifdef MUST_NOT_COMPILE
  (void)rx.release(1);
#endif
  (void)rx.release(netmap::Position(1));
}
