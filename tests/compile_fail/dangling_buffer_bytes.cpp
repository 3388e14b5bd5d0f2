// SPDX-License-Identifier: BSD-2-Clause
// Bytes are of a buffer that has to stay.
#include <netmap/netmap.hpp>

netmap::Buffer make();

std::byte first(const netmap::Buffer& kept) {
#ifdef MUST_NOT_COMPILE
  const auto bytes = make().bytes();
#else
  const auto bytes = kept.bytes();
#endif
  return kept.bytes().empty() ? std::byte{0} : bytes.front();
}
