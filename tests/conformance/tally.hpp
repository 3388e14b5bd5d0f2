// SPDX-License-Identifier: BSD-2-Clause
//
// How many cases each device answered, and how.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace netmap::conformance {

class Tally {
 public:
  void skip(const std::string& device) { ++counts_[device].skipped; }
  /// A case of a suite. `refusal` is what the device said, if it refused.
  void add(const std::string& device, const std::string& suite, const std::string& name,
           const std::string& refusal) {
    for (Counts* counts : {&counts_[device], &suites_[suite][device]}) {
      ++(refusal.empty() ? counts->run : counts->refused);
    }
    if (device == embedded && !refusal.empty()) refusals_[refusal].push_back(suite + '.' + name);
  }

  /// One line for each device that was counted.
  [[nodiscard]] std::string lines() const {
    std::string all;
    for (const auto& [device, counts] : counts_) {
      all += "conformance " + device + ": " + std::to_string(counts.run) + " run, " +
             std::to_string(counts.refused) + " refused, " + std::to_string(counts.skipped) +
             " skipped\n";
    }
    return all;
  }

  /// In Markdown: by suite how many cases ran on the module and on the embedded device, and what
  /// that refused, with the reason.
  [[nodiscard]] std::string table() {
    std::string all = "| suite | module | embedded | refused |\n| --- | ---: | ---: | ---: |\n";
    for (auto& [suite, devices] : suites_) {
      const Counts& own = devices[embedded];
      all += "| " + suite + " | " + std::to_string(devices[module].run) + " | " +
             std::to_string(own.run) + " | " + std::to_string(own.refused) + " |\n";
    }
    all += "\n| refused by the embedded device | it says |\n| --- | --- |\n";
    for (const auto& [refusal, cases] : refusals_) {
      all += "| " + joined(cases) + " | " + refusal + " |\n";
    }
    return all;
  }

 private:
  static constexpr const char* module = "kernel";
  static constexpr const char* embedded = "embedded";
  struct Counts {
    int run = 0;
    int refused = 0;
    int skipped = 0;
  };
  static std::string joined(const std::vector<std::string>& names) {
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "`" : ", `") + name + '`';
    return all;
  }

  std::map<std::string, Counts> counts_;
  std::map<std::string, std::map<std::string, Counts>> suites_;
  std::map<std::string, std::vector<std::string>> refusals_;
};

}  // namespace netmap::conformance
