// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/quantity.hpp"

#include <gtest/gtest.h>

namespace {

TEST(Quantity, CountsAreWhole) {
  EXPECT_EQ(nmx::parse_count("0"), 0U);
  EXPECT_EQ(nmx::parse_count("999999999999999"), 999'999'999'999'999U);
  EXPECT_EQ(nmx::parse_count("1.5k"), 1500U);
  EXPECT_EQ(nmx::parse_count("2e6"), 2'000'000U);
  for (const char* text : {"", "-1", "1.5", "0.0001k", "5kk", "ten", "1e16"}) {
    EXPECT_FALSE(nmx::parse_count(text)) << text;
  }
}

}  // namespace
