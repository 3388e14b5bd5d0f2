// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "device/embedded/bell.hpp"
#include "point.hpp"

#include <atomic>
#include <cstdint>

namespace netmap::embedded {

/// Sees to it that no mailbox is destroyed meanwhile that is found now. One at a time.
class Delivery {
 public:
  Delivery(EndpointRecord& sender, const Ringer& ringer) noexcept : count_(sender.deliveries) {
    count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    ringer.publish_barrier();
    NETMAP_POINT("deliver: begun");
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;
  ~Delivery() {
    count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

 private:
  std::atomic<std::uint32_t>& count_;
};

}  // namespace netmap::embedded
