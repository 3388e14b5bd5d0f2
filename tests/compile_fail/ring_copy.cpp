// SPDX-License-Identifier: BSD-2-Clause
// A ring has one handle.
#include <netmap/netmap.hpp>

void use(netmap::RxRing& ring) {
#ifdef MUST_NOT_COMPILE
  netmap::RxRing other = ring;
#else
  netmap::RxRing& other = ring;
#endif
  (void)other.is_ready();
}
