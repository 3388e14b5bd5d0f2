// SPDX-License-Identifier: BSD-2-Clause
//
// What an emulated line does to packets that go one way, and how nmx emulate is told.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace nmx {

/// The queue's size if the bandwidth is limited and nothing else is said; tlem's.
inline constexpr std::size_t usual_queue = 50'000;
/// Preamble and start of frame 8, CRC 4, gap between frames 12.
inline constexpr std::uint32_t framing_bytes = 24;

struct LineOptions {
  std::chrono::nanoseconds delay{0};
  std::chrono::nanoseconds jitter{0};  ///< more delay: evenly drawn up to this, or with this mean
  bool is_exponential = false;         ///< the jitter
  double bandwidth = 0;                ///< bit/s, 0 for no limit
  std::uint32_t overhead = 0;          ///< bytes more a packet that count towards the bandwidth
  std::size_t queue = usual_queue;     ///< bytes that may wait for the bandwidth
  double loss = 0;                     ///< how probable it is that a packet is lost
  double bit_errors = 0;               ///< … that a bit is damaged, and its packet thus lost
  double reorder = 0;                  ///< … that a packet is held back
  std::chrono::nanoseconds held_back{0};
  std::size_t hold = 256'000'000;  ///< bytes of memory, at most

  friend bool operator==(const LineOptions&, const LineOptions&) = default;
};

/// Of both directions.
struct LinkOptions {
  LineOptions there;
  LineOptions back;
};

/// "delay=10ms,loss=0.01", on top of what `options` has. The error is a sentence.
[[nodiscard]] std::expected<LineOptions, std::string> parse_line(const std::string& text,
                                                                 LineOptions options = {});

/// --delay, --loss, … for both directions, --back for what differs on the way back.
void add_line_options(CLI::App& app, LinkOptions& options);

}  // namespace nmx
