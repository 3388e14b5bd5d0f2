// SPDX-License-Identifier: BSD-2-Clause
//
// Ctrl-C and SIGTERM ask for a clean end; a second one ends nmx at once. Whoever waits does so in
// slices, and looks at stop_requested() between them.
#pragma once

#include <chrono>

namespace nmx {

/// The longest anybody waits without looking whether to stop.
inline constexpr std::chrono::milliseconds slice{100};

void catch_stop_signals();
void request_stop() noexcept;
[[nodiscard]] bool stop_requested() noexcept;

}  // namespace nmx
