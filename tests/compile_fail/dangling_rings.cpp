// SPDX-License-Identifier: BSD-2-Clause
// Rings are of a port that has to stay.
#include <netmap/netmap.hpp>

#ifdef MUST_NOT_COMPILE
std::span<netmap::RxRing> rings(netmap::Port port) {
#else
std::span<netmap::RxRing> rings(netmap::Port& port) {
#endif
  return port.rx_rings();
}
