// SPDX-License-Identifier: BSD-2-Clause
//
// The last words of the program: a line for each device.
#include "conformance/tally.hpp"

#include <cstdio>
#include <string>

#include <gtest/gtest.h>

namespace netmap::conformance {
namespace {

Answer answer_of(const testing::TestResult& result) {
  if (result.Skipped()) return Answer::skipped;
  for (int i = 0; i != result.test_property_count(); ++i) {
    if (result.GetTestProperty(i).key() == std::string("answer")) return Answer::refused;
  }
  return Answer::run;
}

/// Counts the answers and prints a line for each device at the end.
class Summary final : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo& test) override {
    const std::string name = test.name();
    const auto slash = name.rfind('/');
    if (slash != std::string::npos) tally_.add(name.substr(slash + 1), answer_of(*test.result()));
  }
  void OnTestProgramEnd(const testing::UnitTest&) override {
    std::fputs(tally_.lines().c_str(), stdout);
  }
  Tally tally_;
};

[[maybe_unused]] const bool is_counting = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new Summary);  // which owns it
  return true;
}();

}  // namespace
}  // namespace netmap::conformance
