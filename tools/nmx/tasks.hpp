// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "report.hpp"
#include "traffic.hpp"

#include <netmap/error.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nmx {

/// What one thread does until it is done or stop_requested().
struct Task {
  std::function<netmap::Result<>(Counters&)> work;
  std::optional<unsigned> cpu;  ///< to be pinned to
};

struct RunOptions {
  /// Said once if nothing has moved after a second.
  std::string alone = {};
  /// Stop when nothing has moved for so long, once something has.
  std::optional<std::chrono::milliseconds> silence = {};
  /// Stop after so long.
  std::optional<std::chrono::milliseconds> limit = {};
};

/// What is told of a run while it lasts.
struct Ticks {
  std::chrono::milliseconds interval;
  /// With what moved since the last call.
  std::function<void(const Traffic&)> tell;
  /// Serves metrics, if they are asked for; may be null.
  const Report* metrics = nullptr;
};

/// Runs each task in a thread of its own and tells every interval, from this one, until all have
/// ended; yields what they moved. The first failure stops all and is what this fails with.
[[nodiscard]] netmap::Result<Traffic> run(std::vector<Task> tasks, const Ticks& ticks,
                                          const RunOptions& options);
/// The same with a report's intervals.
[[nodiscard]] netmap::Result<Traffic> run(std::vector<Task> tasks, const Report& report,
                                          const RunOptions& options);

}  // namespace nmx
