// SPDX-License-Identifier: BSD-2-Clause
// A buffer has one owner, so no index can be used twice.
#include <netmap/netmap.hpp>

netmap::Buffer another(netmap::Buffer& buffer) {
#ifdef MUST_NOT_COMPILE
  return buffer;
#else
  return std::move(buffer);
#endif
}
