// SPDX-License-Identifier: BSD-2-Clause
//
// The last words of the program: a line for each device and, if NETMAP_CONFORMANCE_TABLE is set,
// what the embedded device does and refuses of all that the module does, as docs/conformance.md has
// it.
#include "conformance/tally.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace netmap::conformance {
namespace {

/// What a device said that refused; empty if it did not.
std::string refusal_in(const testing::TestResult& result) {
  for (int i = 0; i != result.test_property_count(); ++i) {
    const auto& property = result.GetTestProperty(i);
    if (property.key() == std::string("refused")) return property.value();
  }
  return {};
}

/// Counts the answers and prints a line for each device at the end.
class Summary final : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo& test) override {
    const std::string name = test.name();
    const auto slash = name.rfind('/');
    if (slash == std::string::npos) return;
    std::string suite = test.test_suite_name();
    suite.erase(0, suite.find('/') + 1);
    if (test.result()->Skipped()) return tally_.skip(name.substr(slash + 1));
    tally_.add(name.substr(slash + 1), suite, name.substr(0, slash), refusal_in(*test.result()));
  }
  void OnTestProgramEnd(const testing::UnitTest&) override {
    std::fputs(tally_.lines().c_str(), stdout);
    if (std::getenv("NETMAP_CONFORMANCE_TABLE") == nullptr) return;
    std::fputs(tally_.table().c_str(), stdout);
  }
  Tally tally_;
};

[[maybe_unused]] const bool is_counting = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new Summary);  // which owns it
  return true;
}();

}  // namespace
}  // namespace netmap::conformance
