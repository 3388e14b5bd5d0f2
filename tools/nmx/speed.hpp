// SPDX-License-Identifier: BSD-2-Clause
//
// When the packets of a capture are due again.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

namespace nmx {

struct Speed {
  enum class Kind : std::uint8_t {
    captured,   ///< `value` times as fast as the packets were captured
    packets,    ///< `value` packets a second
    bits,       ///< `value` bits of packets a second, without the CRC
    wire_bits,  ///< `value` bits a second of what Ethernet's wire carries: 24 bytes more each
    top,        ///< as fast as they are taken
  };
  Kind kind = Kind::captured;
  double value = 1;

  friend bool operator==(const Speed&, const Speed&) = default;
};

/// "original", "top", "2x", "100kpps", "1Gbps", "10Gbps-wire". The error is a sentence.
[[nodiscard]] std::expected<Speed, std::string> parse_speed(const std::string& text);

/// Counts from the moment the first packet is due. No packet is due before one in front of it.
class Schedule {
 public:
  using Time = std::chrono::nanoseconds;

  explicit Schedule(const Speed& speed) : speed_(speed) {}

  /// When the next packet is due, of so many bytes, captured at `time`.
  [[nodiscard]] Time next(Time time, std::uint32_t bytes) {
    return speed_.kind == Speed::Kind::top ? last_ : next_due(time, bytes);
  }
  /// The capture begins anew: its first packet is due when its last was.
  void begin_anew();

 private:
  Time next_due(Time time, std::uint32_t bytes);
  [[nodiscard]] double amount(std::uint32_t bytes) const;

  Speed speed_;
  std::optional<Time> first_;
  Time base_{0};
  Time last_{0};
  double before_ = 0;  ///< packets or bits so far
};

}  // namespace nmx
