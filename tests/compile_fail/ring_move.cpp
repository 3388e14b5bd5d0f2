// SPDX-License-Identifier: BSD-2-Clause
// A ring stays in its port.
#include <netmap/netmap.hpp>

#include <utility>

void use(netmap::RxRing& ring) {
#ifdef MUST_NOT_COMPILE
  netmap::RxRing other = std::move(ring);
#else
  netmap::RxRing& other = ring;
#endif
  (void)other.is_ready();
}
