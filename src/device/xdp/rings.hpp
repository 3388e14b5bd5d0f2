// SPDX-License-Identifier: BSD-2-Clause
//
// The two ends of a ring that is shared with the kernel.
#pragma once

#include "os/xdp_socket.hpp"

#include <cstdint>

namespace netmap::xdp {

/// A ring into which this side puts entries; as large as what is ever put into it at once.
template <class Entry>
class Producer {
 public:
  explicit Producer(const os::XdpRing& ring) noexcept
      : ring_(ring), next_(__atomic_load_n(ring.producer, __ATOMIC_RELAXED)) {}

  void put(const Entry& entry) noexcept {
    static_cast<Entry*>(ring_.first)[next_++ & (ring_.entries - 1)] = entry;
  }
  void publish() noexcept { __atomic_store_n(ring_.producer, next_, __ATOMIC_RELEASE); }
  /// Entries that the kernel has not taken.
  [[nodiscard]] std::uint32_t waiting() const noexcept {
    return next_ - __atomic_load_n(ring_.consumer, __ATOMIC_ACQUIRE);
  }
  [[nodiscard]] bool needs_wakeup() const noexcept {
    return (__atomic_load_n(ring_.flags, __ATOMIC_RELAXED) & os::xdp::need_wakeup) != 0;
  }

 private:
  os::XdpRing ring_;
  std::uint32_t next_;
};

/// A ring from which this side takes entries.
template <class Entry>
class Consumer {
 public:
  explicit Consumer(const os::XdpRing& ring) noexcept
      : ring_(ring), next_(__atomic_load_n(ring.consumer, __ATOMIC_RELAXED)) {}

  [[nodiscard]] bool is_empty() const noexcept {
    return next_ == __atomic_load_n(ring_.producer, __ATOMIC_RELAXED);
  }
  /// use(entry) for each that has come, as long as that yields true.
  template <class Use>
  void take(Use&& use) noexcept {
    const std::uint32_t end = __atomic_load_n(ring_.producer, __ATOMIC_ACQUIRE);
    if (next_ == end) return;
    const auto* entries = static_cast<const Entry*>(ring_.first);
    while (next_ != end && use(entries[next_ & (ring_.entries - 1)])) ++next_;
    __atomic_store_n(ring_.consumer, next_, __ATOMIC_RELEASE);
  }

 private:
  os::XdpRing ring_;
  std::uint32_t next_;
};

}  // namespace netmap::xdp
