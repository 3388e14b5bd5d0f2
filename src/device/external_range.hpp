// SPDX-License-Identifier: BSD-2-Clause
//
// Ranges of a program's own memory that are regions: PortOptions::extmem.
#pragma once

#include <netmap/error.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace netmap {

/// No other claim of this process overlaps it, as long as it lives.
class RangeClaim {
 public:
  explicit RangeClaim(std::span<std::byte> bytes) noexcept : bytes_(bytes) {}
  RangeClaim(const RangeClaim&) = delete;
  RangeClaim& operator=(const RangeClaim&) = delete;
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

/// The claim of these bytes, a new one if there is none. Fails with invalid_argument if they are
/// not whole pages, with device_or_resource_busy if another claim overlaps them.
[[nodiscard]] Result<std::shared_ptr<RangeClaim>> claim_range(std::span<std::byte> bytes);

}  // namespace netmap
