// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/fault_option.hpp"

#include <gtest/gtest.h>

namespace nmx {
namespace {

using namespace std::chrono_literals;

TEST(FaultOption, NamesEveryFault) {
  const auto faults = parse_faults(
      "drop=0.1,duplicate=0.2,corrupt=0.3,reorder=0.4,delay=5ms,short=0.6,fail=0.7,spurious=1,"
      "late=9us,seed=18446744073709551615");
  ASSERT_TRUE(faults) << faults.error();
  EXPECT_EQ(*faults, (netmap::Faults{.drop = 0.1,
                                     .duplicate = 0.2,
                                     .corrupt = 0.3,
                                     .reorder = 0.4,
                                     .delay = 5ms,
                                     .short_batch = 0.6,
                                     .fail = 0.7,
                                     .spurious = 1,
                                     .late = 9us,
                                     .seed = UINT64_MAX}));
}

TEST(FaultOption, SaysWhatIsWrong) {
  const auto sentence = [](const char* text) {
    const auto parsed = parse_faults(text);
    return parsed ? std::string("nothing") : parsed.error();
  };
  EXPECT_EQ(sentence("drop=2"), "drop=2 is not between 0 and 1");
  EXPECT_EQ(sentence("drop=nan"), "drop=nan is not between 0 and 1");
  EXPECT_EQ(sentence("drop=0.1x"), "'0.1x' is no number for drop");
  EXPECT_EQ(sentence("drop"), "'' is no number for drop");
  EXPECT_TRUE(sentence("dorp=0.1").starts_with("there is no fault 'dorp', but drop, "));
  EXPECT_TRUE(sentence(",").starts_with("there is no fault ''"));
  EXPECT_NE(sentence("delay=1 week"), "nothing");
}

TEST(FaultOption, CountsAreTold) {
  EXPECT_EQ(to_text({}), "faults: none");
  EXPECT_EQ(to_text({.dropped = 3, .late = 1}), "faults: 3 dropped, 1 late wake-ups");
}

}  // namespace
}  // namespace nmx
