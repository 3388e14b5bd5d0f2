// SPDX-License-Identifier: BSD-2-Clause
// The rings go with their port.
#include <netmap/netmap.hpp>

netmap::Port make();

void use(netmap::Port& port) {
#ifdef MUST_NOT_COMPILE
  (void)make().tx_rings();
#endif
  (void)port.tx_rings();
}
