// SPDX-License-Identifier: BSD-2-Clause
//
// How many cases each device answered, and how.
#pragma once

#include <map>
#include <string>

namespace netmap::conformance {

enum class Answer { run, refused, skipped };

class Tally {
 public:
  void add(const std::string& device, Answer answer) { ++counts_[device][answer]; }
  /// One line for each device that was counted.
  [[nodiscard]] std::string lines() {
    std::string all;
    for (auto& [device, count] : counts_) {
      all += "conformance " + device + ": " + std::to_string(count[Answer::run]) + " run, " +
             std::to_string(count[Answer::refused]) + " refused, " +
             std::to_string(count[Answer::skipped]) + " skipped\n";
    }
    return all;
  }

 private:
  std::map<std::string, std::map<Answer, int>> counts_;
};

}  // namespace netmap::conformance
