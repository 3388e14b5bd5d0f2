// SPDX-License-Identifier: BSD-2-Clause
// A port owns its descriptor: there is one of each.
#include <netmap/netmap.hpp>

netmap::Port another(netmap::Port& port) {
#ifdef MUST_NOT_COMPILE
  return port;
#else
  return std::move(port);
#endif
}
