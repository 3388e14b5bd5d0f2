// SPDX-License-Identifier: BSD-2-Clause
//
// nmx as its users meet it: a process with arguments, two streams and an exit status.
#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace nmx_test {

using Arguments = std::vector<std::string>;

inline Arguments operator+(Arguments a, const Arguments& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

struct Outcome {
  int status = -1;  ///< the exit status, or 128 + the signal that ended it, as the shell has it
  std::string out;
  std::string err;

  /// The only line of `out`. Throws if there is not exactly one, or if it is no JSON.
  [[nodiscard]] nlohmann::json json() const;
  [[nodiscard]] std::vector<nlohmann::json> json_lines() const;
};

class Process {
 public:
  explicit Process(const Arguments& command);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  /// Kills it if it still runs.
  ~Process();

  /// Reads stderr until it contains `text`; throws if it ends before.
  void wait_for(const std::string& text);
  /// What it has said on stderr, as far as wait_for() has read.
  [[nodiscard]] const std::string& err() const { return outcome_.err; }
  void signal(int number) const;
  /// Waits for the end.
  Outcome finish();

 private:
  using Clock = std::chrono::steady_clock;

  bool read_some();

  Clock::time_point end_;
  int process_;
  int out_;
  int err_;
  Outcome outcome_;
};

/// nmx with these arguments.
[[nodiscard]] Arguments nmx(Arguments arguments);
Outcome run(const Arguments& command);

}  // namespace nmx_test
