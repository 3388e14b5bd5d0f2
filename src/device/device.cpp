// SPDX-License-Identifier: BSD-2-Clause
#include "device/device.hpp"

#include <chrono>

namespace netmap {

void stamp_time(abi::netmap_ring& ring) noexcept {
  using namespace std::chrono;
  const auto now = duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
  ring.ts = {now / 1'000'000, now % 1'000'000};
}

}  // namespace netmap
