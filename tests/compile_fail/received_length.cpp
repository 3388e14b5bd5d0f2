// SPDX-License-Identifier: BSD-2-Clause
// The length of a received slot is what was received.
#include <netmap/netmap.hpp>

void use(netmap::RxSlot received, netmap::TxSlot free) {
#ifdef MUST_NOT_COMPILE
  (void)received.set_length(1);
#endif
  (void)received.length();
  (void)free.set_length(1);
}
