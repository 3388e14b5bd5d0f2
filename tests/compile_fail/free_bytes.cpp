// SPDX-License-Identifier: BSD-2-Clause
// A free slot holds no received bytes.
#include <netmap/netmap.hpp>

void use(netmap::TxSlot free, netmap::RxSlot received) {
#ifdef MUST_NOT_COMPILE
  (void)free.bytes();
#endif
  (void)free.buffer();
  (void)received.bytes();
}
